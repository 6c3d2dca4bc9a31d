// The details of one cell or one run, including its configuration.

// "test 0.5", or with a longer name "full model: 0.5"
function factOf(line) {
  const mark = line.includes(": ") ? ": " : " ";
  return [line.slice(0, line.indexOf(mark)), line.slice(line.indexOf(mark) + mark.length)];
}

// the command that shows what a head attends to, and the vectors it gives the task's examples
function lookCommand(item, i, run) {
  const [layer, head] = [cell(item, "layer", i), cell(item, "head", i)];
  if (!run.look || !known(layer) || !known(head) || item.names.stack) return "";
  return `${run.look} layer=${layer} head=${head}`;
}

function openDetails(item, i) {
  const run = data.runs[item.run];
  byId("details-title").textContent = i == null ? fullName(item) : `${place(item, i)} · ${fullName(item)}`;
  const facts = [];
  if (i != null) for (const line of cellLines(item, i).slice(1)) facts.push(factOf(line));
  facts.push(...Object.entries(item.names).filter(([, value]) => value));
  for (const [name, value] of Object.entries(item.sizes || {})) if (known(value)) facts.push([name.replace("n_", "n "), value.toLocaleString("en")]);
  facts.push(["source", run.data], ["file", run.file], ["created", run.created], ["key", run.key]);
  byId("facts").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  byId("command-part").hidden = !run.command;
  byId("command").textContent = run.command;
  const look = i == null ? "" : lookCommand(item, i, run);
  byId("look-part").hidden = !look;
  byId("look").textContent = look;
  byId("config").textContent = run.config || "The result file does not contain its configuration.";
  byId("copy").textContent = "Copy";
  hideTip();
  byId("details").showModal();
}

function buildDetails() {
  const dialog = byId("details");
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("command").textContent);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("command"));
      byId("copy").textContent = "Selected";
    }
  });
}

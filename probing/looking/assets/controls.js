// What the reader chooses, by lists, by the grid of heads, and by keys.

const DRAWN = { lines: showLines, matrix: showMatrix, layer: showLayer, model: showModel, arcs: showArcs, semantic: showSemantic };
const OF = { "of-maps": ["lines", "matrix", "layer", "model"], "of-scale": ["lines", "matrix", "layer", "model"], "of-colours": ["matrix", "layer", "model"], "of-lines": ["lines", "layer"], "of-layer": ["layer"], "of-arcs": ["arcs"] };
const ABOUT = {
  lines: linesAbout,
  matrix: () => `In the matrix, ${data.sides.rows}.`,
  layer: () => `All heads of the layer. In matrices, ${data.sides.rows}; in lines, the left side attends to the right one. Click a head to open it.`,
  model: () => `Layers run upward from the input, heads from left to right. In each head, ${data.sides.rows}. Click a head to open it.`,
  arcs: () => `Each word's governor is where its attention is largest, ${state.direction === "dependent" ? "as the dependent attends" : "as the governor attends to it"}, with attention to itself set to 0 and without special tokens. Relations are below the words; the root has no governor to find.`,
  semantic: () => `${plural(data.semantic.labels.length, "example")} ${data.semantic.held_out ? "of test; directions and probes were fitted on train" : "of all folds; directions and probes were fitted on them too"} (${data.semantic.how}).${data.semantic.heads[here()]?.probe?.boundary ? " The probe decides at the dashed line." : ""} Point at an example to read it.`,
};

const capital = (words) => words[0].toUpperCase() + words.slice(1);

function linesAbout() {
  const { top } = headMap(here());
  const own = headMap(here(), shownPlaces(), "own").top;
  const ends = `The darkness and the width of a line show the weight, up to ${share(top)} ${state.scale === "own" ? "in this head" : "in all heads"}. Weights below ${state.least} of that are not drawn.`;
  return own < FAINT * top ? `${ends} The largest weight of this head is ${share(own)}, so its lines are faint; one scale per head darkens them.` : ends;
}

// a number for each head by which the grid of heads is coloured
function gridOf() {
  if (state.view === "arcs" && arcs()) return { name: "governors found", values: FIRSTS.slice(0, -1).flatMap((first, index) => Array.from({ length: countOf(index) }, (_, head) => rightOf(first + head))), show: (value) => `finds ${value} of ${findable()} governors` };
  if (state.view === "semantic") return { name: `test ${data.semantic.metric} of the probe`, values: data.semantic.heads.map((view) => (view ? view.score : null)), show: (value) => `test ${data.semantic.metric} ${value.toFixed(3)}` };
  return { name: `entropy of ${maps().attention ? "" : `${state.weights} `}attention between tokens, as a share of the largest possible`, values: entropies(), show: (value) => `entropy ${value.toFixed(2)} of the largest possible` };
}

function showHeads({ name, values, show }) {
  const there = values.filter(known);
  const [low, high] = [Math.min(...there), Math.max(...there)];
  const most = Math.max(...data.heads);
  const [left, size] = [16, 14];
  const svg = draw("svg", { viewBox: `0 0 ${left + most * size + 2} ${data.layers.length * size + 14}`, role: "img", "aria-label": `All heads, coloured by ${name}` });
  data.layers.forEach((layer, index) => {
    const y = (data.layers.length - 1 - index) * size;
    svg.append(draw("text", { x: left - 4, y: y + 10, "text-anchor": "end", style: "font-size: 7px" }, layer));
    for (let head = 0; head < countOf(index); head += 1) {
      const value = values[placeOf(index, head)];
      const lines = [nameOf(index, head), ...(known(value) ? [show(value)] : [])];
      svg.append(draw("rect", {
        x: left + head * size + 1, y: y + 1, width: size - 2, height: size - 2, "data-place": placeOf(index, head),
        fill: known(value) ? cssAt((value - low) / (high - low || 1)) : "var(--line)",
        onclick: () => openHead(index, head), onmousemove: (event) => showTip(event, lines), onmouseleave: hideTip,
      }));
    }
  });
  for (let head = 0; head < most; head += 1) svg.append(draw("text", { x: left + (head + 0.5) * size, y: data.layers.length * size + 10, "text-anchor": "middle", style: "font-size: 7px" }, head));
  const row = data.layers.length - 1 - layerIndex();
  svg.append(draw("rect", { x: left + state.head * size, y: row * size, width: size, height: size, fill: "none", stroke: "var(--mark)", "stroke-width": 2, "pointer-events": "none" }));
  byId("heads").replaceChildren(svg);
  const [dark, bright] = [low, high].map((value) => (Number.isInteger(high) && Number.isInteger(low) && high > 1 ? value : value.toFixed(2)));
  byId("heads-says").textContent = `Colour: ${name}, from ${dark} (dark) to ${bright} (bright).`;
}

function headSays({ values, show }) {
  const facts = known(values[here()]) ? [show(values[here()])] : [];
  if (state.view === "semantic") facts.push(`guessing ${data.semantic.majority.toFixed(3)}`);
  const name = nameOf(layerIndex(), state.head);
  return facts.length ? `${name}: ${facts.join("; ")}` : name;
}

function noteWords() {
  const parts = [];
  if (text().cut) parts.push("The text is longer than the model's limit, and its end was cut off.");
  if (maps().lacking > 0.001 && state.view !== "semantic") parts.push(`Rows lack up to ${share(maps().lacking)} to 1, which a sink outside the text takes.`);
  return parts.join(" ");
}

// the command that draws the present picture
function commandWords() {
  const own = { view: state.view, layer: state.layer, head: state.head };
  for (const [name, usual] of [["weights", "attention"], ["unit", "words"], ["special", true], ["scale", "shared"], ["direction", "dependent"]])
    if (state[name] !== usual) own[name] = state[name];
  return [data.commands[state.text], ...Object.entries(own).map(([name, value]) => `${name}=${value}`)].join(" ");
}

function update() {
  state.head = Math.min(state.head, countOf(layerIndex()) - 1);
  if (!DRAWN[state.view] || !data.views.includes(state.view)) state.view = "lines";
  const host = byId("view");
  const grid = gridOf();
  const says = headSays(grid);
  host.picked = null;
  hideTip();
  byId("row").replaceChildren();
  byId("row").hidden = ["layer", "model"].includes(state.view);
  for (const [name, views] of Object.entries(OF)) document.querySelectorAll(`.${name}`).forEach((element) => { element.hidden = !views.includes(state.view); });
  byId("unit-label").hidden = byId("unit-label").hidden || !text().levels.words;
  document.querySelectorAll("#views button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === state.view)));
  for (const name of ["text", "layer", "head", "weights", "unit", "scale", "least", "shape", "direction"]) fillChoice(name);
  byId("special").checked = state.special;
  byId("title").textContent = capital(`${data.sides.layer}layer ${state.layer}, head ${state.head} of ${data.model}`);
  byId("about").textContent = aboutWords();
  byId("view-title").textContent = { layer: capital(`${data.sides.layer}layer ${state.layer}`), model: `All ${data.sides.layer}heads` }[state.view] || VIEW_NAMES[state.view];
  byId("says").textContent = ["layer", "model"].includes(state.view) ? "" : says;
  byId("note").textContent = [ABOUT[state.view](), noteWords()].filter(Boolean).join(" ");
  byId("live").textContent = says;
  byId("command-part").hidden = !data.commands.length;
  byId("command").textContent = data.commands.length ? commandWords() : "";
  DRAWN[state.view](host);
  byId("bar").hidden = !OF["of-colours"].includes(state.view) || (state.view === "layer" && state.shape === "lines");
  if (!byId("bar").hidden) drawBar();
  if (known(state.kept) && host.picked) pickPlace(state.kept);
  showHeads(grid);
  history.replaceState(null, "", `#${new URLSearchParams({ view: state.view, layer: state.layer, head: state.head, text: state.text })}`);
}

function aboutWords() {
  if (state.view === "semantic") return `Examples of ${data.semantic.task}; probing ${data.version}`;
  const { text: words, second, place } = text();
  return `${words}${second ? ` | ${second}` : ""}${place ? ` (${place})` : ""}`;
}

const CHOICES = {
  text: () => data.texts.map(({ text: words }, k) => [String(k), shortened(words, 320)]),
  layer: () => data.layers.map((layer) => [String(layer), String(layer)]),
  head: () => Array.from({ length: countOf(layerIndex()) }, (_, head) => [String(head), String(head)]),
  weights: () => Object.keys(text().maps).map((name) => [name, name]),
  unit: () => ["words", "tokens"].map((name) => [name, name]),
};

function fillChoice(name) {
  const select = byId(name);
  if (CHOICES[name]) {
    const choices = CHOICES[name]();
    if (["text", "weights"].includes(name)) byId(`${name}-label`).hidden = choices.length < 2;
    select.replaceChildren(...choices.map(([value, shown]) => option(value, shown)));
  }
  select.value = String(name === "unit" ? unit() : state[name]);
}

function move(layers, heads) {
  const index = Math.max(0, Math.min(data.layers.length - 1, layerIndex() + layers));
  const count = countOf(index);
  openHead(index, (Math.min(state.head, count - 1) + heads + count) % count);
}

const toggled = (name, values) => () => { state[name] = values[(values.indexOf(state[name]) + 1) % values.length]; state.kept = name === "unit" ? null : state.kept; update(); };
const KEYS = {
  ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1), ArrowUp: () => move(1, 0), ArrowDown: () => move(-1, 0),
  w: toggled("unit", ["words", "tokens"]), s: toggled("special", [true, false]), d: toggled("direction", ["dependent", "governor"]),
  j: () => stepPlace(1), k: () => stepPlace(-1), Escape: () => keepPlace(null),
  n: () => { state.text = (state.text + 1) % data.texts.length; state.kept = null; update(); },
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || ["SELECT", "INPUT", "TEXTAREA"].includes(event.target.tagName)) return;
  const view = data.views[Number(event.key) - 1];
  const doing = view ? () => { state.view = view; update(); } : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!doing || (["j", "k", "Escape"].includes(event.key) && !byId("view").picked)) return;
  event.preventDefault();
  doing();
}

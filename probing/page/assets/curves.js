// Scores over the number of heads, and over layers.

const STYLE = {
  top: { name: "top heads, test", line: { width: 3 }, colour: 0 },
  random: { name: "random heads", line: { dash: "dash" }, colour: 1 },
  permuted: { name: "permuted labels", line: { dash: "dot" }, colour: 6 },
  last_layer: { name: "last layer", line: { dash: "longdash" }, colour: 2 },
  best_layer: { name: "best layer", line: { dash: "dashdot" }, colour: 3 },
};
const DASHES = ["solid", "dash", "dot", "dashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "star"];
const MOST_PROFILES = 12;
const curveCards = new Map();

const faded = (colour) => `${colour}33`;

function curveTraces(curve) {
  const colours = theme().layout.colorway;
  const base = data.figures.line.trace;
  const sizes = curve.lines.flatMap((line) => line.n_heads).filter(known);
  const ends = [Math.min(...sizes), Math.max(...sizes)];
  const traces = [];
  for (const line of curve.lines) {
    const style = STYLE[line.variant];
    const colour = colours[style.colour];
    const told = (i) => `${score(line.test[i], curve)}${interval(line.low[i], line.high[i], curve)}`;
    if (line.layer != null) {
      traces.push({ ...base, mode: "lines", x: ends, y: [line.test[0], line.test[0]], name: `${style.name} (${line.layer})`, line: { ...style.line, color: colour }, hovertemplate: `${style.name}: ${told(0)}<extra></extra>` });
      continue;
    }
    const band = { ...base, mode: "lines", x: line.n_heads, line: { width: 0 }, showlegend: false, hoverinfo: "skip" };
    traces.push({ ...band, y: line.low }, { ...band, y: line.high, fill: "tonexty", fillcolor: faded(colour) });
    const texts = line.n_heads.map((n, i) => `${plural(n, "head")}: ${told(i)}${line.draws > 1 ? `, mean of ${line.draws} draws` : ""}<br>dev ${score(line.dev[i], curve)}`);
    traces.push({ ...base, x: line.n_heads, y: line.test, name: style.name, line: { ...style.line, color: colour }, hovertext: texts, hovertemplate: `${style.name}, %{hovertext}<extra></extra>` });
    if (line.variant === "top") traces.push({ ...base, mode: "lines", x: line.n_heads, y: line.dev, name: "top heads, dev", line: { color: colour, width: 1.5, dash: "dot" }, hoverinfo: "skip" });
  }
  if (known(curve.guess)) traces.push({ ...base, mode: "lines", x: ends, y: [curve.guess, curve.guess], name: guessName(curve), line: { color: "#888888", width: 1 }, hoverinfo: "skip" });
  return traces;
}

function curveTable(curve) {
  const top = curve.lines.find((line) => line.variant === "top");
  if (!top) return "";
  const of = (variant, n) => {
    const line = curve.lines.find((one) => one.variant === variant);
    const i = line ? line.n_heads.indexOf(n) : -1;
    return i < 0 ? "–" : score(line.test[i], curve);
  };
  const column = (name, of_, show, text) => ({ name, of: of_, show, text });
  const element = make("table");
  table(element, [
    column("n", (i) => top.n_heads[i], (i) => String(top.n_heads[i])),
    column("dev", (i) => top.dev[i], (i) => score(top.dev[i], curve)),
    column("test", (i) => top.test[i], (i) => score(top.test[i], curve) + interval(top.low[i], top.high[i], curve)),
    column("random", (i) => i, (i) => of("random", top.n_heads[i])),
    column("permuted", (i) => i, (i) => of("permuted", top.n_heads[i])),
    column("heads (layer.head)", (i) => top.heads[i], (i) => top.heads[i] || "–", true),
  ], top.n_heads.map((_, i) => i), `Scores over the number of heads, ${fullName(curve)}`);
  return make("details", {}, make("summary", {}, "Table with the names of the heads"), make("div", { class: "scroll", tabindex: "0" }, element));
}

function curveCard(curve) {
  if (curveCards.has(curve)) return curveCards.get(curve);
  const plot = make("div", { class: "plot", role: "img", "aria-label": `Test score over the number of heads, ${fullName(curve)}; also as a table below` });
  const element = make("article", { class: "card" },
    make("h3", {}, curve.title), make("p", { class: "faint" }, subtitle(curve, curve.metric)), make("p", { class: "faint" }, curve.counted), plot, curveTable(curve),
    make("div", { class: "does" }, make("button", { type: "button", onclick: () => openDetails(curve, null), "aria-label": `Configuration: ${fullName(curve)}` }, "configuration")));
  whenSeen(plot, () => {
    const { layout } = copy(data.figures.line);
    const sizes = [...new Set(curve.lines.flatMap((line) => line.n_heads).filter(known))].sort((a, b) => a - b);
    const apart = sizes.filter((n, i) => i === sizes.length - 1 || n * 1.3 < sizes[sizes.length - 1]);
    Object.assign(layout.xaxis, { type: "log", tickvals: apart, ticktext: apart.map(String), tickangle: 0 });
    layout.xaxis.title.text = "heads read together";
    layout.yaxis.title.text = plain(curve.metric);
    layout.yaxis.tickformat = curve.coefficient ? ".2f" : ".0%";
    return draw(plot, curveTraces(curve), { ...layout, width: plot.clientWidth, height: 400 });
  });
  curveCards.set(curve, element);
  return element;
}

function showCurves() {
  const curves = shownCurves();
  byId("curves-section").hidden = !curves.length;
  byId("curves").replaceChildren(...curves.map(curveCard));
}

function profileOf(grid, how) {
  const layers = [...new Set(grid.columns.layer)].sort((a, b) => a - b);
  const of = (layer) => grid.columns.test.filter((value, i) => grid.columns.layer[i] === layer && known(value));
  const summary = (values) => (!values.length ? null : how === "best" ? Math.max(...values) : mean(values));
  return { layers, scores: layers.map((layer) => summary(of(layer))) };
}

// values of other analyses share no scale with scores
const profilable = () => shownGrids().filter((grid) => hasCells(grid) && !isFound(grid));
// grids of one scale share an axis; if there are several scales, the reader picks one
const profiled = () => profilable().filter((grid) => grid.scale === byId("profile-scale").value);

// names broken into lines that fit next to their samples
function folded(name, letters) {
  const lines = [""];
  for (const part of name.split(" · ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} · ${part}` : part;
    if (longer.length <= letters || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

function drawProfile() {
  const host = byId("profile");
  const grids = profiled().slice(0, MOST_PROFILES);
  const how = byId("profile-of").value;
  const colours = theme().layout.colorway;
  const names = grids.map((grid) => folded(fullName(grid), Math.max(24, (host.clientWidth - 110) / 6)).map(plain));
  const traces = grids.map((grid, k) => {
    const { layers, scores } = profileOf(grid, how);
    const name = names[k].join("<br>");
    return {
      ...data.figures.line.trace, x: layers, y: scores, name, line: { color: colours[k % 7], dash: DASHES[Math.floor(k / 7) % 4] }, marker: { symbol: SYMBOLS[k % 6], size: 7 },
      hovertext: layers.map((layer, i) => `${layer < 0 ? "embeddings" : `layer ${layer}`}: ${score(scores[i], grid)}`), hovertemplate: `%{hovertext}<extra>${name}</extra>`,
    };
  });
  const { layout } = copy(data.figures.line);
  layout.xaxis.title.text = "layer";
  const layers = [...new Set(grids.flatMap((grid) => grid.columns.layer))].sort((a, b) => a - b);
  const named = layers.filter((_, k) => k % Math.ceil(layers.length / 13) === 0);
  Object.assign(layout.xaxis, { tickvals: named, ticktext: named.map((l) => (l < 0 ? "emb" : String(l))) });
  layout.yaxis.title.text = grids.length ? plain(`test ${grids[0].metric}`) : "";
  layout.yaxis.tickformat = grids.length && grids[0].coefficient ? ".2f" : ".0%";
  const height = 360 + 20 * names.flat().length;
  host.style.height = `${height + 20}px`;
  return draw(host, traces, { ...layout, showlegend: true, legend: { ...layout.legend, orientation: "v", y: -0.16 }, width: host.clientWidth - 16, height });
}

function showProfile() {
  const scales = new Map(profilable().map((grid) => [grid.scale, grid.quantity]));
  keepChoice(byId("profile-scale"), [...scales].map(([scale, name]) => option(scale, name)));
  byId("profile-scale").closest("label").hidden = scales.size < 2;
  const grids = profiled();
  byId("profile-section").hidden = !grids.length;
  byId("profile-note").textContent = grids.length > MOST_PROFILES ? `Only the first ${MOST_PROFILES} of ${grids.length} grids are drawn; select fewer above.` : "";
  drawers.get(byId("profile")).painted = -1;
}

function buildProfile() {
  whenSeen(byId("profile"), drawProfile);
  for (const id of ["profile-of", "profile-scale"]) byId(id).addEventListener("change", () => {
    showProfile();
    paintVisible();
  });
}

// The grids that are shown, a card for each; a card is made once and kept.

const cards = new Map();
const hasCells = (grid) => known(cell(grid, "layer", 0));

function nearGuess(grid) {
  const level = grid.support.guess;
  if (!known(level)) return [];
  const bound = (i) => cell(grid, "test_low", i) ?? cell(grid, "test", i);
  return grid.columns.test.map((_, i) => i).filter((i) => known(cell(grid, "test", i)) && bound(i) <= level);
}

function bestWords(grid) {
  const { best } = grid.support;
  if (best == null) return "no score";
  const at = (name) => cell(grid, name, best);
  return `${place(grid, best)}: ${score(at("test"), grid)}${interval(at("test_low"), at("test_high"), grid)}`;
}

function supportWords(grid) {
  const { support } = grid;
  const count = grid.columns.test.length;
  const p = support.best == null ? null : cell(grid, "p_adjusted", support.best);
  const words = [];
  if (known(p)) words.push(`p ${probability(p)}${count > 1 ? ` as the best of ${count}` : ""}`);
  if (known(support.guess)) words.push(`${support.near_guess} of ${count} not above ${grid.coefficient ? "0" : `the majority, ${score(support.guess, grid)}`}`);
  if (known(support.selectivity)) words.push(`mean selectivity ${gap(support.selectivity, grid)}`);
  if (known(support.above_untrained)) words.push(`mean ${gap(support.above_untrained, grid)} over untrained`);
  return words.join("; ");
}

// the same range for all, or a grid's own; around 0 where the sign matters
function rangeOf(values, measure) {
  const found = values.filter(known);
  if (measure === MEASURES.p_adjusted) return { low: 0, high: 1 };
  const [low, high] = found.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
  if (!found.length) return { low: 0, high: 1, diverging: measure.diverging };
  if (!measure.diverging) return { low, high: high > low ? high : low + 1e-6 };
  const most = Math.max(Math.abs(low), Math.abs(high), 1e-6);
  return { low: -most, high: most, diverging: true };
}

let sharedRange = null;
const measure = () => MEASURES[byId("value").value || "test"];

function cardOf(grid) {
  if (!cards.has(grid)) cards.set(grid, makeCard(grid));
  return cards.get(grid);
}

function makeCard(grid) {
  const map = hasCells(grid) ? new Heatmap({
    columns: grid.columns, label: `${fullName(grid)}, ${grid.metric}`, best: grid.support.best, dots: nearGuess(grid),
    words: (i) => cellLines(grid, i), open: (i) => openDetails(grid, i), tick: grid.coefficient ? ".2f" : ".0%",
    short: (value) => (measure() === MEASURES.p_adjusted ? probability(value) : measure().diverging ? gap(value, grid) : score(value, grid)),
    values: () => measured(grid, measure()),
    range: (values) => (byId("scale").value === "shared" ? sharedRange : rangeOf(values, measure())),
  }) : null;
  const choose = (id) => () => {
    byId(id).value = String(data.grids.indexOf(grid));
    showComparison();
    byId("compare-section").scrollIntoView({ block: "start" });
  };
  const button = (text, does, label) => make("button", { type: "button", onclick: does, "aria-label": `${label}: ${fullName(grid)}` }, text);
  const element = make("article", { class: "card" },
    make("h3", {}, grid.title),
    make("p", { class: "faint" }, `${grid.detail}; ${grid.metric}`),
    ...(map ? [map.element] : []),
    make("p", { class: "says" }, make("strong", {}, "best: "), bestWords(grid)),
    make("p", { class: "faint" }, supportWords(grid)),
    make("div", { class: "does" },
      ...(map ? [button("compare as A", choose("a"), "Compare as A"), button("as B", choose("b"), "Compare as B")] : []),
      button("configuration", () => openDetails(grid, null), "Configuration")));
  return { element, map };
}

function fitCards() {
  const maps = shownGrids().map((grid) => cardOf(grid).map).filter(Boolean);
  const widths = maps.map((map) => map.element.clientWidth);
  maps.forEach((map, k) => map.fit(widths[k]));
}

function showCards() {
  const grids = shownGrids();
  byId("grids").replaceChildren(...grids.map((grid) => cardOf(grid).element));
  byId("none").hidden = grids.length + shownCurves().length > 0;
  fitCards();
  recolour();
}

function recolour() {
  sharedRange = rangeOf(shownGrids().filter(hasCells).flatMap((grid) => measured(grid, measure())), measure());
  repaint();
}

function buildMeasures() {
  const there = Object.entries(MEASURES).filter(([, one]) => data.grids.some((grid) => grid.columns.test && measured(grid, one).some(known)));
  byId("value").append(...there.map(([name, one]) => option(name, one.name)));
  byId("value").addEventListener("change", recolour);
  byId("scale").addEventListener("change", recolour);
}

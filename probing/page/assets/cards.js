// A card for each grid that is shown. A card is made once and kept.

const cards = new Map();
const hasCells = (grid) => known(cell(grid, "layer", 0));

// cells whose interval contains the score of guessing (for differences, 0), and cells of scores whose interval is below it
const onSide = (grid, side) => cells(grid).filter((i) => grid.sides[i] === side);
const lowCells = (grid) => (isFound(grid) ? [] : onSide(grid, -1));

function bestWords(grid) {
  const { best } = grid.support;
  if (best == null) return isFound(grid) ? "" : "no score";
  return `${place(grid, best)}: ${amount(mainOf(grid, best), grid)}${bounds(grid, best)}`;
}

const COUNTS = {
  prune: (kept) => `${kept.filter((value) => value > 0).length} of ${plural(kept.length, "head")} kept`,
  gates: (gates) => `${gates.filter((value) => value > 0).length} of ${plural(gates.length, "gate")} open, mean ${mean(gates).toFixed(2)}`,
};

function foundWords(grid) {
  const { support } = grid;
  const { bounded } = support;
  const words = [COUNTS[grid.names.analysis]?.(grid.columns.value.filter(known)) ?? `mean ${amount(support.mean, grid)}`];
  if (grid.found.ranked_on) words.push(`ranked on ${grid.found.ranked_on}`);
  if (bounded) words.push(`no difference shown in ${support.near_guess} of ${manyCells(bounded, grid)}`);
  if (grid.columns.full) words.push(`full model ${score(grid.columns.full.find(known), grid)}`);
  return words.join("; ");
}

function supportWords(grid) {
  if (isFound(grid)) return foundWords(grid);
  const { support } = grid;
  const count = cells(grid).length;
  const p = support.best == null ? null : cell(grid, "p_adjusted", support.best);
  const words = [];
  if (known(p)) words.push(`p ${probability(p)}${count > 1 ? `, corrected for choosing the best of ${manyCells(count, grid)}` : ""}`);
  if (support.bounded) words.push(`${notAbove(support)} of ${manyCells(support.bounded, grid)} not above ${grid.coefficient ? "0" : `the majority, ${score(support.guess, grid)}`}${support.below ? `, ${support.below} of them below it` : ""}`);
  if (known(support.selectivity)) words.push(`mean selectivity ${gap(support.selectivity, grid)}`);
  if (known(support.above_untrained)) words.push(`mean ${gap(support.above_untrained, grid)} above untrained`);
  return words.join("; ");
}

// cells whose interval contains the score of guessing or is below it
const notAbove = (support) => support.near_guess + support.below;

// the range of colours, symmetric about 0 if the sign matters
function rangeOf(values, measure) {
  const found = values.filter(known);
  if (measure === MEASURES.p_adjusted) return { low: 0, high: 1 };
  const [low, high] = found.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
  if (!found.length) return { low: 0, high: 1, diverging: measure.diverging };
  if (!measure.diverging) return { low, high: high > low ? high : low + 1e-6 };
  const most = Math.max(Math.abs(low), Math.abs(high), 1e-6);
  return { low: -most, high: most, diverging: true };
}

// for values of other analyses: gates from 0 to 1, differences about 0, importances from 0
function foundRange(values, grid) {
  if (grid.found.within_one) return { low: 0, high: 1 };
  if (grid.found.unit.signed) return rangeOf(values, MEASURES.above);
  return { low: 0, high: Math.max(...values.filter(known), 0) || 1 };
}

const rangeHere = (values, grid) => (isFound(grid) ? foundRange(values, grid) : rangeOf(values, measure()));

function rangeFor(grid) {
  const shared = byId("scale").value === "shared";
  const range = shared ? sharedRanges.get(grid.scale) : rangeHere(measured(grid, measure()), grid);
  return { ...range, low: factorOf(grid) * range.low, high: factorOf(grid) * range.high };
}

const tickOf = (grid) => (isFound(grid) ? (grid.found.unit.signed ? "+~g" : "~g") : grid.coefficient ? ".2f" : ".0%");

function shortOf(value, grid) {
  if (isFound(grid)) return known(value) ? written(value, grid.found.unit.digits, grid.found.unit.signed) : "–";
  return measure() === MEASURES.p_adjusted ? probability(value) : measure().diverging ? gap(value, grid) : score(value, grid);
}

const sharedRanges = new Map();
const measure = () => MEASURES[byId("value").value || "test"];

function cardOf(grid) {
  if (!cards.has(grid)) cards.set(grid, makeCard(grid));
  return cards.get(grid);
}

function makeCard(grid) {
  const map = hasCells(grid) ? new Heatmap({
    columns: grid.columns, label: `${fullName(grid)}, ${measureName(grid)}`, best: grid.support.best, dots: onSide(grid, 0), lows: lowCells(grid),
    words: (i) => cellLines(grid, i), open: (i) => openDetails(grid, i), tick: tickOf(grid),
    mark: isFound(grid) ? grid.found.most : "best", short: (value) => shortOf(value, grid),
    values: () => measured(grid, measure()).map((value) => (known(value) ? factorOf(grid) * value : value)),
    range: () => rangeFor(grid),
  }) : null;
  const choose = (id) => () => {
    byId(id).value = String(data.grids.indexOf(grid));
    showComparison();
    byId("compare-section").scrollIntoView({ block: "start" });
  };
  const button = (text, does, label) => make("button", { type: "button", onclick: does, "aria-label": `${label}: ${fullName(grid)}` }, text);
  const element = make("article", { class: "card" },
    make("h3", {}, grid.title),
    make("p", { class: "faint" }, subtitle(grid, measureName(grid))),
    ...(map ? [map.element] : []),
    ...(bestWords(grid) ? [make("p", { class: "says" }, make("strong", {}, `${isFound(grid) ? grid.found.most : "highest test score"}: `), bestWords(grid))] : []),
    make("p", { class: "faint" }, supportWords(grid)),
    ...(grid.counted ? [make("p", { class: "faint" }, grid.counted)] : []),
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
  byId("none").hidden = grids.length + shownCurves().length + shownTables().length > 0;
  fitCards();
  recolour();
}

function recolour() {
  const grids = shownGrids().filter(hasCells);
  for (const scale of new Set(grids.map((grid) => grid.scale))) {
    const alike = grids.filter((grid) => grid.scale === scale);
    sharedRanges.set(scale, rangeHere(alike.flatMap((grid) => measured(grid, measure())), alike[0]));
  }
  showScales(grids);
  repaint();
}

const MOST_SCALES = 4;

// each quantity has its own colour scale, and each card the bar of its scale
function showScales(grids) {
  const scales = [...new Map(grids.map((grid) => [grid.scale, grid.quantity])).values()];
  byId("scales").hidden = scales.length < 2;
  const named = scales.length <= MOST_SCALES ? `: ${scales.join("; ")}` : "";
  byId("scales").textContent = `${scales.length} colour scales, one for each quantity${named}; the bar next to each grid shows its scale.`;
}

function buildMeasures() {
  const there = Object.entries(MEASURES).filter(([, one]) => data.grids.some((grid) => !isFound(grid) && measured(grid, one).some(known)));
  byId("value").closest("label").hidden = !there.length;
  byId("value").append(...there.map(([name, one]) => option(name, one.name)));
  byId("value").addEventListener("change", recolour);
  byId("scale").addEventListener("change", recolour);
}

// A comparison of any two grids: their difference, a scatter plot of their cells, and their agreement.

let difference = null;
let compared = null;

function buildComparison() {
  const grids = data.grids.filter(hasCells);
  const options = () => grids.map((grid) => option(String(data.grids.indexOf(grid)), fullName(grid)));
  byId("a").append(...options());
  byId("b").append(...options());
  const first = shownGrids().filter(hasCells);
  const second = first.find((grid) => grid !== first[0] && grid.names.granularity === first[0].names.granularity) || first[1];
  if (first.length) byId("a").value = String(data.grids.indexOf(first[0]));
  if (second) byId("b").value = String(data.grids.indexOf(second));
  byId("compare-section").hidden = grids.length < 2;
  for (const id of ["a", "b"]) byId(id).addEventListener("change", showComparison);
  byId("swap").addEventListener("click", () => {
    [byId("a").value, byId("b").value] = [byId("b").value, byId("a").value];
    showComparison();
  });
  whenSeen(byId("scatter"), drawScatter);
}

// only equal quantities can be subtracted; for all others the ranks are compared
function gapsOf({ a, b, common, alike }) {
  if (alike) return common.a.map((value, i) => common.b[i] - value);
  const [first, second] = ranksOf({ a, b, common });
  return first.map((rank, i) => rank - second[i]);
}

// ranks from 1, the cell with the largest effect, or that encodes most
const ranksOf = ({ a, b, common }) => [[a, common.ia], [b, common.ib]].map(([grid, at]) => ranks(at.map((i) => -need(grid, i))));

function gapWords(value, { a, alike }) {
  if (!alike) return `${written(value, Number.isInteger(value) ? 0 : 1, true)} ranks`;
  if (!isFound(a)) return gap(value, a);
  const unit = { ...a.found.unit, signed: true };
  return `${inUnit(value, unit)} ${unit.name}`.trim();
}

function showComparison() {
  if (byId("compare-section").hidden) return;
  const [a, b] = ["a", "b"].map((id) => data.grids[Number(byId(id).value)]);
  const common = commonCells(a, b);
  const alike = a.scale === b.scale;
  compared = { a, b, common, alike };
  byId("agreement").textContent = agreement(compared);
  if (difference) difference.remove();
  difference = null;
  byId("difference").closest(".pair").hidden = !common.a.length;
  if (!common.a.length) return;
  byId("difference-title").textContent = alike ? `B minus A, ${isFound(a) ? measureName(a) : "test"}` : "Difference in ranks, A minus B (positive: ranked higher in B)";
  const factor = alike ? factorOf(a) : 1;
  const gaps = gapsOf(compared).map((value) => factor * value);
  const tick = !alike ? "+~g" : isFound(a) ? "+~g" : a.coefficient ? "+.2f" : "+.0%";
  difference = new Heatmap({
    columns: common, label: `Difference: ${fullName(b)} minus ${fullName(a)}`, best: null, dots: [], tick,
    tallest: 36, words: (i) => pairLines(i), open: (i) => openDetails(b, common.ib[i]),
    short: (value) => gapWords(value / factor, compared), values: () => gaps, range: () => rangeOf(gaps, MEASURES.above),
  });
  byId("difference").append(difference.element);
  difference.fit(byId("difference").clientWidth);
  drawers.get(byId("scatter")).painted = -1;
  paintVisible();
}

function pairLines(i) {
  const { a, b, common, alike } = compared;
  const both = [`A ${amount(common.a[i], a)}`, `B ${amount(common.b[i], b)}`];
  const where = place({ columns: common }, i);
  if (alike) return [where, `B − A ${gapWords(common.b[i] - common.a[i], compared)}`, ...both];
  const [first, second] = ranksOf(compared).map((ranked) => ranked[i]);
  return [where, `rank ${first} in A, ${second} in B, of ${common.a.length}`, ...both];
}

function agreement({ a, b, common, alike }) {
  if (a === b) return "A and B are the same grid.";
  if (!common.a.length) return "A and B have no cell in common: one has heads, the other has whole layers.";
  const needs = [[a, common.ia], [b, common.ib]].map(([grid, at]) => at.map((i) => need(grid, i)));
  const rho = common.a.length > 2 ? spearman(...needs) : null;
  const start = `${plural(common.a.length, "cell")} in common: Spearman’s ρ ${known(rho) ? written(rho, 3, false) : "–"}`;
  if (!alike) return `${start}, by the effect of a head, or what it encodes. A is ${a.quantity}, and B is ${b.quantity}. They share no scale, so only their ranks are compared.`;
  const change = mean(common.b) - mean(common.a);
  return `${start}, mean difference B − A: ${gapWords(change, compared)} (A ${amount(mean(common.a), a)}, B ${amount(mean(common.b), b)}).`;
}

// the numbers along an axis: unchanged if both grids have the same quantity, otherwise growing with the effect
function axisOf(grid, at, { a, alike }) {
  const like = alike ? a : grid;
  const turned = !alike && isFound(grid) && grid.found.turned;
  const numbers = at.map((i) => factorOf(like) * (turned ? need(grid, i) : mainOf(grid, i)));
  const name = isFound(grid) ? `${turned ? "− " : ""}${measureName(like)}` : `test ${grid.metric}`;
  return { numbers, name, tickformat: isFound(grid) ? "~g" : grid.coefficient ? ".2f" : ".0%" };
}

function drawScatter() {
  const host = byId("scatter");
  if (!compared || !compared.common.a.length) return null;
  const { a, b, common, alike } = compared;
  const { trace, layout } = copy(data.figures.scatter);
  const [x, y] = [axisOf(a, common.ia, compared), axisOf(b, common.ib, compared)];
  Object.assign(trace, { x: x.numbers, y: y.numbers, hovertext: common.a.map((_, i) => pairLines(i).map(plain).join("<br>")) });
  trace.marker.color = common.layer;
  const layers = new Set(common.layer).size;
  trace.marker.showscale = layers > 1;
  Object.assign(trace.marker.colorbar, { tickmode: "linear", dtick: Math.ceil(layers / 8), tick0: 0 });
  const all = [...x.numbers, ...y.numbers];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const shapes = alike ? [{ type: "line", x0: low, y0: low, x1: high, y1: high, line: { color: "#888888", width: 1, dash: "dot" }, layer: "below" }] : [];
  layout.xaxis.title.text = `A: ${plain(x.name)}`;
  layout.yaxis.title.text = `B: ${plain(y.name)}`;
  layout.xaxis.tickformat = x.tickformat;
  layout.yaxis.tickformat = y.tickformat;
  const fresh = !host.on;
  return draw(host, [trace], { ...layout, shapes, width: host.clientWidth, height: 360 }).then(() => {
    if (fresh) host.on("plotly_hover", (event) => {
      const i = event.points[0].pointNumber;
      setCursor(compared.common.layer[i], compared.common.head[i] ?? null);
    });
  });
}

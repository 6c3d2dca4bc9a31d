// Any two grids: their difference, cell against cell, and how well they agree.

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

function showComparison() {
  if (byId("compare-section").hidden) return;
  const [a, b] = ["a", "b"].map((id) => data.grids[Number(byId(id).value)]);
  const common = commonCells(a, b);
  compared = { a, b, common };
  byId("agreement").textContent = agreement(a, b, common);
  if (difference) difference.remove();
  difference = null;
  byId("difference").closest(".pair").hidden = !common.a.length;
  if (!common.a.length) return;
  const gaps = common.a.map((value, i) => common.b[i] - value);
  difference = new Heatmap({
    columns: common, label: `Difference: ${fullName(b)} minus ${fullName(a)}`, best: null, dots: [],
    tallest: 36, words: (i) => pairLines(i), open: (i) => openDetails(b, common.ib[i]), tick: a.coefficient ? "+.2f" : "+.0%",
    short: (value) => gap(value, a), values: () => gaps, range: () => rangeOf(gaps, MEASURES.above),
  });
  byId("difference").append(difference.element);
  difference.fit(byId("difference").clientWidth);
  drawers.get(byId("scatter")).painted = -1;
  paintVisible();
}

function pairLines(i) {
  const { a, b, common } = compared;
  return [place({ columns: common }, i), `B − A ${gap(common.b[i] - common.a[i], a)}`, `A ${score(common.a[i], a)}`, `B ${score(common.b[i], b)}`];
}

function agreement(a, b, common) {
  if (a === b) return "A and B are the same grid.";
  if (!common.a.length) return "A and B have no cell in common: one is of heads, the other of whole layers.";
  const rho = common.a.length > 2 ? spearman(common.a, common.b) : null;
  const change = mean(common.b) - mean(common.a);
  const words = `${plural(common.a.length, "cell")} in common: Spearman’s ρ ${known(rho) ? rho.toFixed(3) : "–"}, mean difference B − A: ${gap(change, a)} (A ${score(mean(common.a), a)}, B ${score(mean(common.b), b)}).`;
  return a.metric === b.metric ? words : `${words} A is measured by ${a.metric}, B by ${b.metric}: only their ranks can be compared.`;
}

function drawScatter() {
  const host = byId("scatter");
  if (!compared || !compared.common.a.length) return null;
  const { a, b, common } = compared;
  const { trace, layout } = copy(data.figures.scatter);
  Object.assign(trace, { x: common.a, y: common.b, hovertext: common.a.map((_, i) => pairLines(i).map(plain).join("<br>")) });
  trace.marker.color = common.layer;
  const all = [...common.a, ...common.b];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const same = a.metric === b.metric;
  const shapes = same ? [{ type: "line", x0: low, y0: low, x1: high, y1: high, line: { color: "#888888", width: 1, dash: "dot" }, layer: "below" }] : [];
  layout.xaxis.title.text = `A: test ${plain(a.metric)}`;
  layout.yaxis.title.text = `B: test ${plain(b.metric)}`;
  layout.xaxis.tickformat = a.coefficient ? ".2f" : ".0%";
  layout.yaxis.tickformat = b.coefficient ? ".2f" : ".0%";
  const fresh = !host.on;
  return draw(host, [trace], { ...layout, shapes, width: host.clientWidth, height: 360 }).then(() => {
    if (fresh) host.on("plotly_hover", (event) => {
      const i = event.points[0].pointNumber;
      setCursor(compared.common.layer[i], compared.common.head[i] ?? null);
    });
  });
}

// The dependencies of a sentence above its words, and those that the head finds below them.

const arcs = () => text().arcs[state.weights];
const foundBy = (place) => arcs().found[state.direction][place];
const isRight = (found, w) => arcs().heads[w] >= 0 && found[w] === arcs().heads[w];
const rightOf = (place) => { const found = foundBy(place); return found.filter((_, w) => isRight(found, w)).length; };
const findable = () => arcs().heads.filter((head) => head >= 0).length;

// the height of each arc, so that an arc is above those within it
function arcHeights(pairs) {
  const heights = new Map();
  const ends = (pair) => [Math.min(...pair), Math.max(...pair)];
  const order = [...pairs].sort((x, y) => Math.abs(x[0] - x[1]) - Math.abs(y[0] - y[1]));
  for (const pair of order) {
    const [low, high] = ends(pair);
    let height = 1;
    for (const [other, own] of heights) {
      const [start, end] = ends(other);
      if (start >= low && end <= high) height = Math.max(height, own + 1);
    }
    heights.set(pair, height);
  }
  return heights;
}

function showArcs(host) {
  if (!arcs()) {
    host.replaceChildren(make("p", {}, "This text is not from a treebank."));
    return;
  }
  const { words, heads, relations } = arcs();
  const labels = words.map((at) => text().levels.words.labels[at]);
  const found = foundBy(here());
  const x = [];
  let next = 12;
  labels.forEach((label, w) => {
    const width = Math.max(30, widthOf(label), heads[w] === -2 ? 0 : widthOf(relations[w], 11)) + 14;
    x.push(next + width / 2);
    next += width;
  });
  const gold = labels.map((_, w) => [w, heads[w]]).filter(([, head]) => head >= 0);
  // the root has no governor to find
  const ours = labels.map((_, w) => [w, found[w]]).filter(([w, head]) => head >= 0 && heads[w] >= 0);
  const [above, below] = [arcHeights(gold), arcHeights(ours)];
  const step = Math.min(19, 260 / Math.max(1, ...above.values(), ...below.values()));
  const middle = 30 + step * Math.max(1, ...above.values());
  const end = middle + 26 + step * Math.max(1, ...below.values());
  const svg = draw("svg", { class: "arcs", width: next + 12, height: end + 12, role: "img", "aria-label": `Dependencies, and what ${nameOf(layerIndex(), state.head)} finds` });
  const arc = ([w, head], height, base, up, kind) => {
    const shift = (head > w ? -1 : 1) * 4;
    const [from, to] = [x[head] - shift, x[w] + shift / 2];
    const top = base + (up ? -1 : 1) * step * height;
    return draw("path", { class: kind, "data-w": w, d: `M${from} ${base} C${from} ${top - (up ? 4 : -4)}, ${to} ${top - (up ? 4 : -4)}, ${to} ${base}`, "marker-end": `url(#tip-${kind})` });
  };
  svg.append(draw("defs", {}, ...["gold", "right", "wrong"].map(arrow)));
  for (const pair of gold) svg.append(arc(pair, above.get(pair) * 1.25, middle - 15, true, "gold"));
  for (const pair of ours) svg.append(arc(pair, below.get(pair) * 1.25, middle + 26, false, isRight(found, pair[0]) ? "right" : "wrong"));
  labels.forEach((label, w) => {
    const about = { "data-w": w, x: x[w], "text-anchor": "middle", onmouseenter: (event) => followArc(svg, w, event, labels), onmouseleave: () => followArc(svg, null) };
    svg.append(draw("text", { ...about, class: "word", y: middle }, label), draw("text", { ...about, class: "relation", y: middle + 14 }, heads[w] === -1 ? "root" : relations[w] || "–"));
  });
  host.replaceChildren(svg);
  byId("row").replaceChildren(...[["gold", "treebank"], ["right", "found, right"], ["wrong", "found, wrong"]].map(([kind, name]) => make("span", { class: "key" }, make("i", { class: kind, style: `color: var(--${kind})` }), name)));
}

function arrow(kind) {
  return draw("marker", { id: `tip-${kind}`, viewBox: "0 0 8 8", refX: 6.5, refY: 4, markerWidth: 5, markerHeight: 5, orient: "auto-start-reverse" }, draw("path", { d: "M0 0 L8 4 L0 8 z", style: `fill: var(--${kind}); stroke: none` }));
}

function followArc(svg, w, event, labels) {
  svg.querySelectorAll("path[data-w]").forEach((path) => path.classList.toggle("dim", known(w) && Number(path.dataset.w) !== w));
  if (!known(w)) return hideTip();
  const { heads, relations } = arcs();
  const found = foundBy(here());
  const gold = heads[w] === -1 ? "the root" : heads[w] < 0 ? "unknown" : labels[heads[w]];
  const lines = [labels[w], `${relations[w] || "governor"}: ${gold}`];
  if (heads[w] >= 0) lines.push(`found: ${found[w] < 0 ? "nothing" : labels[found[w]]}, ${isRight(found, w) ? "right" : "wrong"}`);
  showTip(event, lines);
}

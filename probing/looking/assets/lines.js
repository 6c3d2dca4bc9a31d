// Attention as lines from the places that attend, on the left, to those that they attend to, on the right.

const ROW = 21;
// share of the scale below which all lines of a head are faint
const FAINT = 0.3;

function showLines(host) {
  const { labels, special, texts } = level();
  const places = shownPlaces();
  const { at, top } = headMap(here(), places);
  const side = Math.min(180, 16 + Math.max(widthOf(data.sides.query), widthOf(data.sides.key), ...places.map((i) => widthOf(labels[i]))));
  const width = Math.max(2 * side + 160, Math.min(2 * side + 460, host.clientWidth - 28));
  const [left, right] = [side + 6, width - side - 6];
  const y = new Map();
  let next = ROW * 1.6;
  places.forEach((i, k) => {
    if (k && texts[i] !== texts[places[k - 1]]) next += ROW / 2;
    y.set(i, next);
    next += ROW;
  });
  const svg = draw("svg", { class: "lines", width, height: next, role: "img", "aria-label": `Attention of ${nameOf(layerIndex(), state.head)} as lines` });
  svg.append(draw("text", { class: "faint", x: left - 6, y: 12, "text-anchor": "end" }, data.sides.query), draw("text", { class: "faint", x: right + 6, y: 12 }, data.sides.key));
  for (const i of places) {
    const group = draw("g", { class: "query", "data-i": i });
    for (const j of places) {
      const part = at(i, j) / top;
      if (part > 0 && part >= state.least)
        group.append(draw("line", { "data-j": j, x1: left, x2: right, y1: y.get(i) - 4, y2: y.get(j) - 4, "stroke-opacity": Math.min(1, part).toFixed(3), "stroke-width": (0.6 + 2.6 * part).toFixed(2) }));
    }
    svg.append(group);
  }
  const label = (i, isQuery) => draw("text", {
    class: `word${special[i] ? " faint" : ""}`, [isQuery ? "data-query" : "data-key"]: i, y: y.get(i), x: isQuery ? left - 6 : right + 6, "text-anchor": isQuery ? "end" : "start",
    onmouseenter: () => pickPlace(isQuery ? { query: i } : { key: i }), onmouseleave: () => pickPlace(state.kept),
    onclick: () => keepPlace(isQuery ? { query: i } : { key: i }),
  }, shortened(labels[i], side - 8));
  for (const i of places) svg.append(label(i, true), label(i, false));
  host.replaceChildren(svg);
  host.picked = (place) => pickLines(svg, place, { at, y, places, left, right, side });
}

// highlight the lines of one place, with the weights as bars behind the words
function pickLines(svg, place, { at, y, places, left, right, side }) {
  svg.classList.toggle("picked", known(place));
  svg.classList.toggle("by-key", known(place) && known(place.key));
  svg.querySelectorAll(".on").forEach((element) => element.classList.remove("on"));
  svg.querySelectorAll(".share").forEach((element) => element.remove());
  if (!known(place)) return;
  const byKey = known(place.key);
  const own = byKey ? place.key : place.query;
  const marked = byKey ? `line[data-j="${own}"]` : `g[data-i="${own}"]`;
  svg.querySelectorAll(`${marked}, text[data-${byKey ? "key" : "query"}="${own}"]`).forEach((element) => element.classList.add("on"));
  const largest = Math.max(...places.map((i) => (byKey ? at(i, own) : at(own, i)))) || 1;
  for (const i of places) {
    const width = ((byKey ? at(i, own) : at(own, i)) / largest) * (side - 4);
    svg.prepend(draw("rect", { class: "share", x: byKey ? left - 2 - width : right + 2, y: y.get(i) - 14, width, height: ROW - 3 }));
  }
}

// the place that is followed: the words of its strongest partners below the picture
function pickPlace(place) {
  const host = byId("view");
  if (host.picked) host.picked(place);
  byId("row").replaceChildren(...(known(place) ? rowWords(place) : []));
}

function rowWords(place) {
  const { labels } = level();
  const { at } = headMap(here());
  const byKey = known(place.key);
  const own = byKey ? place.key : place.query;
  const parts = shownPlaces().map((i) => [labels[i], byKey ? at(i, own) : at(own, i)]).sort((x, y) => y[1] - x[1]).slice(0, 6).filter(([, weight]) => weight > 0);
  const listed = parts.map(([name, weight]) => `${name} ${share(weight)}`).join(" · ");
  return [make("strong", {}, labels[own]), byKey ? " is attended to by " : " attends to ", listed || "nothing"];
}

function keepPlace(place) {
  const same = !known(place) || (known(state.kept) && state.kept.query === place.query && state.kept.key === place.key);
  state.kept = same ? null : place;
  pickPlace(state.kept);
}

// the next or previous place that attends, from the keyboard
function stepPlace(step) {
  const places = shownPlaces();
  const now = known(state.kept) && known(state.kept.query) ? places.indexOf(state.kept.query) : step > 0 ? -1 : 0;
  state.kept = { query: places[(now + step + places.length) % places.length] };
  pickPlace(state.kept);
}

// Attention as a matrix: a row for each place that attends, a column for each that it attends to.

function showMatrix(host) {
  const { labels, special } = level();
  const places = shownPlaces();
  const { at, top } = headMap(here(), places);
  const side = Math.min(150, 14 + Math.max(...places.map((i) => widthOf(labels[i], 12))));
  const size = Math.max(11, Math.min(30, Math.floor((Math.max(host.clientWidth, 320) - side - 32) / places.length), Math.floor(620 / places.length)));
  const whole = size * places.length;
  const { canvas, pen } = canvasOf(side + whole + 2, side + whole + 2);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(imageOf(here(), places), side, side, whole, whole);
  const svg = draw("svg", { width: side + whole + 2, height: side + whole + 2, role: "img", "aria-label": `Attention of ${nameOf(layerIndex(), state.head)} as a matrix` });
  const font = `font-size: ${Math.min(12, size)}px`;
  const pick = (place) => ({ onmouseenter: () => pickPlace(place), onmouseleave: () => pickPlace(state.kept), onclick: () => keepPlace(place) });
  places.forEach((i, k) => {
    const [middle, kind] = [side + (k + 0.5) * size, `word${special[i] ? " faint" : ""}`];
    svg.append(
      draw("text", { class: kind, style: font, "data-query": i, x: side - 5, y: middle + 4, "text-anchor": "end", ...pick({ query: i }) }, shortened(labels[i], side - 8, 12)),
      draw("text", { class: kind, style: font, "data-key": i, transform: `translate(${middle + 4} ${side - 5}) rotate(-90)`, ...pick({ key: i }) }, shortened(labels[i], side - 8, 12)));
  });
  const frame = draw("rect", { fill: "none", stroke: "var(--mark)", "stroke-width": 2, visibility: "hidden" });
  svg.append(frame);
  const box = make("div", { class: "matrix" }, canvas, svg);
  box.addEventListener("mousemove", (event) => {
    const edge = box.getBoundingClientRect();
    const [k, l] = [event.clientY, event.clientX].map((value, axis) => Math.floor((value - (axis ? edge.left : edge.top) - side) / size));
    if (k < 0 || l < 0 || k >= places.length || l >= places.length) return hideTip();
    showTip(event, [`${labels[places[k]]} → ${labels[places[l]]}`, `${maps().attention ? "attention" : state.weights} ${share(at(places[k], places[l]))}`]);
    highlight({ query: places[k], key: places[l] });
  });
  box.addEventListener("mouseleave", () => { hideTip(); pickPlace(state.kept); });
  host.replaceChildren(box);

  function highlight(place) {
    svg.querySelectorAll(".on").forEach((element) => element.classList.remove("on"));
    frame.setAttribute("visibility", known(place) ? "visible" : "hidden");
    if (!known(place)) return;
    for (const name of ["query", "key"]) if (known(place[name])) svg.querySelector(`[data-${name}="${place[name]}"]`)?.classList.add("on");
    const [row, column] = [places.indexOf(place.query), places.indexOf(place.key)];
    const box_ = { x: column < 0 ? side : side + column * size, y: row < 0 ? side : side + row * size, width: column < 0 ? whole : size, height: row < 0 ? whole : size };
    for (const [name, value] of Object.entries(box_)) frame.setAttribute(name, value);
  }
  host.picked = highlight;
}

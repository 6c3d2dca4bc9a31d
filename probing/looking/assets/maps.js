// Many heads at once: those of a layer, and all of the model.

function openHead(index, head, view = state.view) {
  Object.assign(state, { layer: data.layers[index], head, view });
  update();
}

function showLayer(host) {
  const places = shownPlaces();
  const index = layerIndex();
  const cards = Array.from({ length: countOf(index) }, (_, head) => {
    const place = placeOf(index, head);
    const canvas = state.shape === "lines" ? smallLines(place, places) : imageOf(place, places);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Attention of ${nameOf(index, head)}`);
    if (state.shape === "matrix") followCells(canvas, place, places);
    const open = () => openHead(index, head, state.shape);
    return make("button", { type: "button", "data-head": head, "aria-current": String(head === state.head), onclick: open }, `head ${head}`, canvas);
  });
  host.replaceChildren(make("div", { class: "small" }, ...cards));
}

// the pair of places under the pointer
function followCells(canvas, place, places) {
  canvas.addEventListener("mousemove", (event) => {
    const edge = canvas.getBoundingClientRect();
    const i = places[Math.floor(((event.clientY - edge.top) / edge.height) * places.length)];
    const j = places[Math.floor(((event.clientX - edge.left) / edge.width) * places.length)];
    if (!known(i) || !known(j)) return hideTip();
    showTip(event, cellLines(place, i, j));
  });
  canvas.addEventListener("mouseleave", hideTip);
}

function cellLines(place, i, j) {
  const { labels } = level();
  const index = FIRSTS.findLastIndex((first) => first <= place);
  return [nameOf(index, place - FIRSTS[index]), `${labels[i]} → ${labels[j]}: ${share(headMap(place, [i]).at(i, j))}`];
}

// the lines of one head without words
function smallLines(place, places) {
  const side = 200;
  const { canvas, pen } = canvasOf(side, side);
  const { at, top } = headMap(place, places);
  const y = (k) => 4 + ((side - 8) * k) / Math.max(1, places.length - 1);
  pen.strokeStyle = ink("--line-ink");
  places.forEach((i, k) => places.forEach((j, l) => {
    const part = at(i, j) / top;
    if (!part || part < state.least) return;
    pen.globalAlpha = Math.min(1, part);
    pen.lineWidth = 0.4 + 1.4 * part;
    pen.beginPath();
    pen.moveTo(6, y(k));
    pen.lineTo(side - 6, y(l));
    pen.stroke();
  }));
  canvas.classList.add("smooth");
  canvas.style.removeProperty("width");
  canvas.style.removeProperty("height");
  return canvas;
}

// all heads on one canvas, layers upward from the input
function showModel(host) {
  const places = shownPlaces();
  const most = Math.max(...data.heads);
  const [left, gap, below] = [34, 3, 22];
  const cell = Math.max(16, Math.min(96, Math.floor((Math.max(host.clientWidth, 320) - 30 - left) / most) - gap));
  const [width, height] = [left + most * (cell + gap), data.layers.length * (cell + gap) + below];
  const { canvas, pen } = canvasOf(width, height);
  const corner = (index, head) => [left + head * (cell + gap), (data.layers.length - 1 - index) * (cell + gap)];
  pen.imageSmoothingEnabled = cell < places.length;
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = ink("--faint");
  pen.textBaseline = "middle";
  data.layers.forEach((layer, index) => {
    pen.textAlign = "right";
    pen.fillText(layer, left - 8, corner(index, 0)[1] + cell / 2);
    for (let head = 0; head < countOf(index); head += 1) pen.drawImage(imageOf(placeOf(index, head), places), ...corner(index, head), cell, cell);
  });
  pen.textAlign = "center";
  for (let head = 0; head < most; head += 1) pen.fillText(head, corner(0, head)[0] + cell / 2, height - below / 2);
  const [x, y] = corner(layerIndex(), state.head);
  pen.strokeStyle = ink("--mark");
  pen.lineWidth = 2.5;
  pen.strokeRect(x - 1, y - 1, cell + 2, cell + 2);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Attention of all heads, layers upward from the input, heads from left to right");
  canvas.style.cursor = "pointer";
  const under = (event) => {
    const [head, row] = [(event.offsetX - left) / (cell + gap), event.offsetY / (cell + gap)].map(Math.floor);
    const index = data.layers.length - 1 - row;
    return index >= 0 && index < data.layers.length && head >= 0 && head < countOf(index) ? [index, head] : null;
  };
  canvas.addEventListener("mousemove", (event) => {
    const found = under(event);
    if (!found) return hideTip();
    const [cx, cy] = corner(...found);
    const [i, j] = [event.offsetY - cy, event.offsetX - cx].map((value) => places[Math.floor((value / cell) * places.length)]);
    showTip(event, known(i) && known(j) ? cellLines(placeOf(...found), i, j) : [nameOf(...found)]);
  });
  canvas.addEventListener("mouseleave", hideTip);
  canvas.addEventListener("click", (event) => { const found = under(event); if (found) openHead(...found, "matrix"); });
  host.replaceChildren(canvas);
}

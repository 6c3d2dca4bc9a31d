// Elements of pictures: SVG, canvases, colours and the text under the pointer.

const SVG = "http://www.w3.org/2000/svg";

const draw = (tag, attributes = {}, ...children) => assembled(document.createElementNS(SVG, tag), attributes, children);

const COLOURS = data.colours.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
const colourAt = (part) => COLOURS[Math.max(0, Math.min(255, Math.round(255 * part)))];
const cssAt = (part) => `rgb(${colourAt(part).join(" ")})`;
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = () => data.palette[document.documentElement.dataset.theme];

// a canvas whose pixels are those of the screen
function canvasOf(width, height) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = make("canvas", { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { canvas, pen };
}

// one head as an image with a pixel for each pair of places
function imageOf(place, places) {
  const { at, top } = headMap(place, places);
  const canvas = make("canvas", { width: places.length, height: places.length });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(places.length, places.length);
  let to = 0;
  for (const i of places)
    for (const j of places) {
      image.data.set(colourAt(at(i, j) / top), to);
      image.data[to + 3] = 255;
      to += 4;
    }
  pen.putImageData(image, 0, 0);
  return canvas;
}

function showTip(event, lines) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map((line) => make("div", {}, ...[line].flat())));
  tip.hidden = false;
  const [x, y] = [event.clientX + 14, event.clientY + 14];
  tip.style.left = `${Math.min(x, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${y + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : y}px`;
}

const hideTip = () => { byId("tip").hidden = true; };

const measure = document.createElement("canvas").getContext("2d");
function widthOf(words, size = 13) {
  measure.font = `${size}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
  return measure.measureText(words).width;
}

function shortened(label, width, size = 13) {
  if (widthOf(label, size) <= width) return label;
  let kept = label.length;
  while (kept > 1 && widthOf(`${label.slice(0, kept)}…`, size) > width) kept -= 1;
  return `${label.slice(0, kept)}…`;
}

// the colours and the ends of their scale
function drawBar() {
  const { canvas, pen } = canvasOf(110, 10);
  for (let x = 0; x < 110; x += 1) { pen.fillStyle = cssAt(x / 109); pen.fillRect(x, 0, 1, 10); }
  const several = state.scale === "own" && ["layer", "model"].includes(state.view);
  const top = several ? "largest of each head" : share(headMap(here()).top);
  byId("bar").replaceChildren(make("span", { class: "bar" }, "0", canvas, top, maps().attention ? "" : ` ${state.weights}`));
}

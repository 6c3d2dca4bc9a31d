// Examples of a task in the vectors of a head, projected to two planes.

const MARKS = ["circle", "square", "up", "diamond", "down", "plus", "cross", "circle"];

function markOf(kind, x, y, r, attributes) {
  const shapes = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]], up: [[0, -1.25], [1.15, 0.9], [-1.15, 0.9]], down: [[0, 1.25], [1.15, -0.9], [-1.15, -0.9]], diamond: [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]],
    plus: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
    cross: [[-1.2, -0.7], [-0.7, -1.2], [0, -0.5], [0.7, -1.2], [1.2, -0.7], [0.5, 0], [1.2, 0.7], [0.7, 1.2], [0, 0.5], [-0.7, 1.2], [-1.2, 0.7], [-0.5, 0]],
  };
  if (!shapes[kind]) return draw("circle", { cx: x, cy: y, r, ...attributes });
  return draw("polygon", { points: shapes[kind].map(([dx, dy]) => `${(x + dx * r).toFixed(1)},${(y + dy * r).toFixed(1)}`).join(" "), ...attributes });
}

// the colour and mark of an example; classes beyond those with colours are grey
function looksOf(k) {
  const { classes, labels, values } = data.semantic;
  if (values) {
    const [low, high] = remembered("grades", () => [Math.min(...values), Math.max(...values)]);
    return { colour: cssAt((values[k] - low) / (high - low || 1)), mark: "circle" };
  }
  const at = classes.indexOf(labels[k]);
  return at < 0 ? { colour: ink("--line"), mark: "circle" } : { colour: palette()[at], mark: MARKS[at] };
}

function showSemantic(host) {
  const view = data.semantic.heads[here()];
  if (!view) {
    host.replaceChildren(make("p", {}, "The vectors of this head were not read."));
    return;
  }
  const planes = [["Largest variance", view.pca], ...(view.probe ? [["As the probe reads it", view.probe]] : [])];
  const box = make("div", { class: "planes" }, ...planes.map(([name, axes], at) => make("div", {}, make("h3", {}, name), planeOf(axes, at, host))));
  host.replaceChildren(box);
  byId("row").replaceChildren(...semanticKey());
}

function planeOf(axes, at, host) {
  const points = remembered(`plane ${here()} ${at}`, () => new Float32Array(bytesOf(axes.points)));
  const [width, height, left, bottom] = [520, 430, 66, 40];
  const range = (axis) => {
    const own = data.semantic.labels.map((_, k) => points[2 * k + axis]).concat(axis === 0 && axes.boundary ? [0] : []);
    const [low, high] = [Math.min(...own), Math.max(...own)];
    const room = 0.05 * (high - low || 1);
    return [low - room, high + room];
  };
  const [[x0, x1], [y0, y1]] = [range(0), range(1)];
  const x = (value) => left + ((value - x0) / (x1 - x0)) * (width - left - 8);
  const y = (value) => height - bottom - ((value - y0) / (y1 - y0)) * (height - bottom - 8);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${axes.names[0]} and ${axes.names[1]}` });
  svg.append(draw("rect", { class: "frame", x: left, y: 8, width: width - left - 8, height: height - bottom - 8 }));
  for (const tick of ticks(x0, x1)) svg.append(draw("text", { class: "faint", x: x(tick), y: height - bottom + 15, "text-anchor": "middle", style: "font-size: 11px" }, signed(tick)));
  for (const tick of ticks(y0, y1)) svg.append(draw("text", { class: "faint", x: left - 5, y: y(tick) + 4, "text-anchor": "end", style: "font-size: 11px" }, signed(tick)));
  svg.append(
    draw("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, axes.names[0]),
    draw("text", { transform: `translate(12 ${(height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, axes.names[1]));
  if (axes.boundary) svg.append(draw("line", { class: "zero", x1: x(0), x2: x(0), y1: 8, y2: height - bottom }));
  data.semantic.labels.forEach((_, k) => {
    const { colour, mark } = looksOf(k);
    svg.append(markOf(mark, x(points[2 * k]), y(points[2 * k + 1]), 4.2, {
      class: "point", "data-k": k, fill: colour,
      onmouseenter: (event) => followExample(host, k, event), onmouseleave: () => followExample(host, null),
    }));
  });
  return svg;
}

const signed = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

function ticks(low, high) {
  const raw = (high - low) / 7;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) found.push(Math.abs(tick) < step / 1e6 ? 0 : tick);
  return found;
}

function semanticKey() {
  const { classes, labels, values } = data.semantic;
  if (values) return [`Colours: from ${signed(Math.min(...values))} (dark) to ${signed(Math.max(...values))} (bright).`];
  const sign = (mark, colour) => { const svg = draw("svg", { viewBox: "0 0 14 14" }); svg.append(markOf(mark, 7, 7, 4.4, { fill: colour })); return svg; };
  const keys = classes.map((name, at) => make("span", { class: "key" }, sign(MARKS[at], palette()[at]), name));
  const others = new Set(labels.filter((label) => !classes.includes(label))).size;
  return others ? [...keys, make("span", { class: "key" }, sign("circle", ink("--line")), plural(others, "other class", "other classes"))] : keys;
}

// the same example in both planes, and its text
function followExample(host, k, event) {
  host.querySelectorAll(".point.on").forEach((point) => point.classList.remove("on"));
  if (!known(k)) return hideTip();
  host.querySelectorAll(`[data-k="${k}"]`).forEach((point) => { point.classList.add("on"); });
  showTip(event, [data.semantic.labels[k], ...data.semantic.units[k].flatMap(exampleParts)]);
}

function exampleParts({ text: words, span, second }) {
  const marked = span ? [words.slice(0, span[0]), make("mark", {}, words.slice(...span)), words.slice(span[1])] : [words];
  return second ? [marked, [second]] : [marked];
}

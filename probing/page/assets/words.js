// Numbers and places in words, and elements of the page; text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const option = (value, text) => make("option", { value }, text);
// plotly reads a few tags in its texts
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const known = (value) => value != null;
const fullName = (item) => (item.detail ? `${item.title} · ${item.detail}` : item.title);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function score(value, item) {
  if (!known(value)) return "–";
  return item.coefficient ? value.toFixed(3) : `${(100 * value).toFixed(1)} %`;
}

function gap(value, item) {
  if (!known(value)) return "–";
  const [size, unit] = item.coefficient ? [value.toFixed(3), ""] : [(100 * value).toFixed(1), " points"];
  return `${Number(size) > 0 ? "+" : ""}${size.replace("-", "−")}${unit}`;
}

function interval(low, high, item) {
  if (!known(low) || !known(high)) return "";
  const number = (value) => (item.coefficient ? value.toFixed(3) : (100 * value).toFixed(1));
  return ` [${number(low)}, ${number(high)}]`;
}

const probability = (p) => (!known(p) ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

const cell = (grid, name, i) => (grid.columns[name] ? grid.columns[name][i] : null);

function place(grid, i) {
  const layer = cell(grid, "layer", i);
  const head = cell(grid, "head", i);
  if (layer == null) return "all heads together";
  const name = layer < 0 ? "embeddings" : `layer ${layer}`;
  return head == null ? name : `${name}, head ${head}`;
}

const guessName = (item) => (item.coefficient ? "guessing" : "majority");

function cellLines(grid, i) {
  const at = (name) => cell(grid, name, i);
  const lines = [
    place(grid, i),
    `test ${score(at("test"), grid)}${interval(at("test_low"), at("test_high"), grid)}`,
    `dev ${score(at("dev"), grid)}`,
  ];
  if (known(grid.support.guess)) lines.push(`${guessName(grid)} ${score(grid.support.guess, grid)}`);
  if (known(at("selectivity"))) lines.push(`control ${score(at("control"), grid)}, selectivity ${gap(at("selectivity"), grid)}`);
  if (known(at("untrained"))) lines.push(`untrained ${score(at("untrained"), grid)}`);
  if (known(at("p_adjusted"))) lines.push(`p ${probability(at("p_adjusted"))}, corrected for the best of ${grid.columns.test.length}`);
  return lines;
}

const MEASURES = {
  test: { name: "test score", of: (grid, i) => cell(grid, "test", i) },
  dev: { name: "dev score", of: (grid, i) => cell(grid, "dev", i) },
  above: { name: "test above guessing", diverging: true, of: (grid, i) => minus(cell(grid, "test", i), grid.support.guess) },
  selectivity: { name: "selectivity (test − control)", diverging: true, of: (grid, i) => cell(grid, "selectivity", i) },
  trained: { name: "test − untrained", diverging: true, of: (grid, i) => minus(cell(grid, "test", i), cell(grid, "untrained", i)) },
  p_adjusted: { name: "p, corrected for the best of all", of: (grid, i) => cell(grid, "p_adjusted", i) },
};

const minus = (a, b) => (known(a) && known(b) ? a - b : null);
const measured = (grid, measure) => grid.columns.test.map((_, i) => measure.of(grid, i));

// Numbers and places in words.

const fullName = (item) => (item.detail ? `${item.title} · ${item.detail}` : item.title);

function score(value, item) {
  if (!known(value)) return "–";
  if (item.loss) return `${value.toFixed(3)} nats`;
  return item.coefficient ? written(value, 3, false) : `${(100 * value).toFixed(1)} %`;
}

function gap(value, item) {
  if (!known(value)) return "–";
  const [size, unit] = item.coefficient ? [value.toFixed(3), ""] : [(100 * value).toFixed(1), " points"];
  return `${Number(size) > 0 ? "+" : ""}${size.replace("-", "−")}${unit}`;
}

function interval(low, high, item) {
  if (!known(low) || !known(high)) return "";
  const number = (value) => (item.coefficient ? written(value, 3, false) : (100 * value).toFixed(1));
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

// the cells of a grid, as readers call them
const cellNoun = (grid) => (!grid.columns.layer ? "cell" : grid.columns.head ? "head" : "layer");
const manyCells = (count, grid) => plural(count, cellNoun(grid));

// a grid has scores of probes, or the values of another analysis in their own unit
const isFound = (item) => known(item.found);
const main = (grid) => (isFound(grid) ? "value" : "test");
const cells = (grid) => Object.values(grid.columns)[0].map((_, i) => i);
const mainOf = (grid, i) => cell(grid, main(grid), i);
// a number that grows with the effect of the head, or with what it encodes
const need = (grid, i) => (isFound(grid) && grid.found.turned && known(mainOf(grid, i)) ? -mainOf(grid, i) : mainOf(grid, i));
// the factor by which numbers are multiplied before they are drawn
const factorOf = (grid) => (isFound(grid) ? grid.found.unit.factor / 10 ** grid.found.unit.power : 1);

function written(number, digits, signed) {
  const size = number.toFixed(digits);
  const zero = Number(size) === 0;
  return `${signed && Number(size) > 0 ? "+" : ""}${zero ? size.replace("-", "") : size.replace("-", "−")}`;
}

const inUnit = (value, unit) => written(unit.factor * value, Math.max(0, unit.digits - unit.power), unit.signed);

function amount(value, grid) {
  if (!isFound(grid)) return score(value, grid);
  return known(value) ? `${inUnit(value, grid.found.unit)} ${grid.found.unit.name}`.trim() : "–";
}

function bounds(grid, i) {
  const [low, high] = [cell(grid, `${main(grid)}_low`, i), cell(grid, `${main(grid)}_high`, i)];
  if (!isFound(grid) || !known(low) || !known(high)) return isFound(grid) ? "" : interval(low, high, grid);
  return ` [${inUnit(low, grid.found.unit)}, ${inUnit(high, grid.found.unit)}]`;
}

// the name of the quantity of a grid, with its unit
function measureName(grid) {
  if (!isFound(grid)) return grid.metric;
  return grid.found.label ? `${grid.found.what} (${grid.found.label})` : grid.found.what;
}

// the description of a grid and its quantity, only once if they are the same
const subtitle = (item, name) => (item.detail.split(" · ").includes(name) ? item.detail : `${item.detail}; ${name}`);

const guessName = (item) => (item.coefficient ? "guessing" : "majority");

function foundLines(grid, i) {
  const at = (name) => cell(grid, name, i);
  const lines = [place(grid, i), `${grid.found.what}: ${amount(at("value"), grid)}${bounds(grid, i)}`];
  // ranks run through all stacks of a model
  if (known(at("rank"))) lines.push(`rank ${at("rank")}${grid.names.stack ? "" : ` of ${cells(grid).length}`}`);
  for (const name of ["test", "dev"]) if (known(at(name))) lines.push(`${name} ${score(at(name), grid)}`);
  if (known(at("full"))) lines.push(`full model: ${score(at("full"), grid)}`);
  return lines;
}

function cellLines(grid, i) {
  if (isFound(grid)) return foundLines(grid, i);
  const at = (name) => cell(grid, name, i);
  const lines = [
    place(grid, i),
    `test ${score(at("test"), grid)}${interval(at("test_low"), at("test_high"), grid)}`,
    `dev ${score(at("dev"), grid)}`,
  ];
  if (known(grid.support.guess)) lines.push(`${guessName(grid)} ${score(grid.support.guess, grid)}`);
  if (known(at("selectivity"))) lines.push(`control ${score(at("control"), grid)}, selectivity ${gap(at("selectivity"), grid)}`);
  if (known(at("untrained"))) lines.push(`untrained ${score(at("untrained"), grid)}`);
  if (known(at("p_adjusted"))) lines.push(`p ${probability(at("p_adjusted"))}, corrected for choosing the best of ${manyCells(grid.columns.test.length, grid)}`);
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
// the measure that the reader selects applies only to grids of probes
const measured = (grid, measure) => cells(grid).map((i) => (isFound(grid) ? mainOf(grid, i) : measure.of(grid, i)));

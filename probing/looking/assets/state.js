// What is shown, and the weights of it.

const VIEW_NAMES = { lines: "Lines", matrix: "Matrix", layer: "Layer", model: "Model", arcs: "Dependencies", semantic: "Examples" };
const state = { ...data.scene, text: data.scene.passage, shape: "matrix", least: 0.05, kept: null };

const FIRSTS = data.heads.reduce((sums, count) => [...sums, sums.at(-1) + count], [0]);
const layerIndex = () => data.layers.indexOf(state.layer);
const countOf = (index) => data.heads[index];
const placeOf = (index, head) => FIRSTS[index] + head;
const here = () => placeOf(layerIndex(), state.head);
const nameOf = (index, head) => `${data.sides.layer}layer ${data.layers[index]} head ${head}`;

const text = () => data.texts[state.text];
const unit = () => (text().levels[state.unit] ? state.unit : "tokens");
const level = () => text().levels[unit()];
const maps = () => text().maps[state.weights];

function bytesOf(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes.buffer;
}

// unpacked once, since moving from head to head reads the same numbers
const unpacked = new Map();
function remembered(key, make_) {
  if (!unpacked.has(key)) unpacked.set(key, make_());
  return unpacked.get(key);
}

// the weights of all heads between words or tokens, and the number of places
function numbers(of = unit(), weights = state.weights) {
  const array = remembered(`${state.text} ${weights} ${of}`, () => new Uint16Array(bytesOf(text().maps[weights][of])));
  return { array, n: text().levels[of].labels.length };
}

// the places that are shown
const shownPlaces = () => level().labels.map((_, i) => i).filter((i) => state.special || !level().special[i]);

// one head: its weights as a function of query and key, and the upper end of its scale
function headMap(place, places = shownPlaces(), scale = state.scale) {
  const { array, n } = numbers();
  const from = place * n * n;
  let top = maps().top[unit()];
  const step = top / data.steps;
  const at = (i, j) => array[from + i * n + j] * step;
  if (scale === "own") {
    top = 0;
    for (const i of places) for (const j of places) top = Math.max(top, at(i, j));
  }
  return { at, top: top || 1 };
}

// entropy of the rows of every head between tokens, as a share of the logarithm of what a row can see
function entropies() {
  return remembered(`${state.text} ${state.weights} entropies`, () => data.heads.flatMap((count, index) => (
    Array.from({ length: count }, (_, head) => entropyOf(placeOf(index, head), text().seen[index]))
  )));
}

// the same for one head; rows that see a single token are left out
function entropyOf(place, seen) {
  const { array, n } = numbers("tokens");
  let [sum, rows] = [0, 0];
  for (let i = 0; i < n; i += 1) {
    let [total, nats] = [0, 0];
    for (let j = 0; j < n; j += 1) total += array[(place * n + i) * n + j];
    for (let j = 0; j < n; j += 1) {
      const share = array[(place * n + i) * n + j] / (total || 1);
      if (share > 0) nats -= share * Math.log(share);
    }
    if (total && seen[i] > 1) { sum += nats / Math.log(seen[i]); rows += 1; }
  }
  return rows ? sum / rows : null;
}

const share = (weight) => (Math.abs(weight - 1) < 0.0005 ? "1" : weight.toFixed(3));

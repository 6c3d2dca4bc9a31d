// The selection of grids: a list of checkboxes for every field in which results differ.

const items = [...data.grids, ...data.curves, ...data.tables];
const MISSING = "–";
const fieldOf = (item, field) => item.names[field] ?? MISSING;
const FIRST_PICKED = { baseline: "none", origin: data.asked };
const picked = new Map();
let wanted = "";

function varying() {
  return data.fields.filter((field) => new Set(items.map((item) => fieldOf(item, field))).size > 1);
}

function valuesOf(field) {
  const counts = new Map();
  for (const item of items) counts.set(fieldOf(item, field), (counts.get(fieldOf(item, field)) || 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

// baselines, and runs that another run made on its way, are hidden until the reader picks them
function atFirst(field, values) {
  return values.includes(FIRST_PICKED[field]) ? [FIRST_PICKED[field]] : values;
}

function passes(item) {
  for (const [field, values] of picked) if (!values.has(fieldOf(item, field))) return false;
  return fullName(item).toLowerCase().includes(wanted);
}

const shownGrids = () => data.grids.filter(passes);
const shownCurves = () => data.curves.filter(passes);
const shownTables = () => data.tables.filter(passes);

// an open list moves to the left as far as it would be wider than the window
function keepInside(list) {
  list.style.left = "0";
  const { left, right } = list.getBoundingClientRect();
  const edge = document.documentElement.clientWidth - 8;
  list.style.left = `${Math.max(Math.min(0, edge - right), 8 - left)}px`;
}

function picker(field, changed) {
  const counted = valuesOf(field);
  const all = counted.map(([value]) => value);
  picked.set(field, new Set(atFirst(field, all)));
  const summary = make("summary");
  const boxes = counted.map(([value, count]) => {
    const box = make("input", { type: "checkbox", name: field, value, onchange: () => set(value, box.checked) });
    return make("label", {}, box, value, make("span", { class: "count", title: `${plural(count, "result")} with ${field} ${value}` }, String(count)));
  });
  const update = () => {
    const now = picked.get(field);
    boxes.forEach((label) => { label.firstChild.checked = now.has(label.firstChild.value); });
    const says = now.size === all.length ? `all ${all.length}` : now.size === 1 ? [...now][0] : `${now.size} of ${all.length}`;
    summary.textContent = `${field}: ${says}`;
    summary.title = `${now.size} of ${plural(all.length, "value")} of ${field} selected`;
  };
  const set = (value, on) => {
    picked.get(field)[on ? "add" : "delete"](value);
    update();
    changed();
  };
  const setAll = (values) => () => {
    picked.set(field, new Set(values));
    update();
    changed();
  };
  update();
  const legend = make("legend", {},
    make("button", { type: "button", onclick: setAll(all) }, "all"),
    make("button", { type: "button", onclick: setAll([]) }, "none"),
    make("span", { class: "count" }, "results"));
  const details = make("details", { "data-field": field }, summary, make("fieldset", { "aria-label": field }, legend, ...boxes));
  details.addEventListener("toggle", () => keepInside(details.querySelector("fieldset")));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    summary.focus();
  });
  return details;
}

function buildPickers(changed) {
  const form = byId("pickers");
  const search = make("input", { type: "search", placeholder: "name contains …", "aria-label": "Name contains", oninput: () => {
    wanted = search.value.trim().toLowerCase();
    changed();
  } });
  form.append(...varying().map((field) => picker(field, changed)));
  if (items.length > 8) form.append(search);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    for (const details of form.querySelectorAll("details[open]")) if (!details.contains(event.target)) details.open = false;
  });
}

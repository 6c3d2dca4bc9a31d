// The start of the page.

function repaint() {
  if (byId("views").children.length) update();
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["layer", "head", "text"]) if (/^\d+$/.test(given.get(name) || "")) state[name] = Number(given.get(name));
  if (data.views.includes(given.get("view"))) state.view = given.get("view");
  if (!data.layers.includes(state.layer)) state.layer = data.scene.layer;
  state.text = Math.min(state.text, data.texts.length - 1);
}

function buildControls() {
  const numeric = ["text", "layer", "head", "least"];
  for (const name of ["text", "layer", "head", "weights", "unit", "scale", "least", "shape", "direction"])
    byId(name).addEventListener("change", () => {
      state[name] = numeric.includes(name) ? Number(byId(name).value) : byId(name).value;
      if (["text", "unit"].includes(name)) state.kept = null;
      update();
    });
  byId("special").addEventListener("change", () => { state.special = byId("special").checked; update(); });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("views").replaceChildren(...data.views.map((view, k) => make("button", { type: "button", "data-view": view, onclick: () => { state.view = view; update(); } }, VIEW_NAMES[view], make("kbd", {}, k + 1))));
  addEventListener("keydown", onKey);
  byId("copy").addEventListener("click", () => getSelection().selectAllChildren(byId("command")));
  byId("copy").addEventListener("click", () => navigator.clipboard?.writeText(byId("command").textContent).then(() => { byId("copy").textContent = "Copied"; }, () => {}));
}

let timer = null;
let width = document.body.clientWidth;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (document.body.clientWidth !== width) { width = document.body.clientWidth; repaint(); }
  }, 120);
});

readAddress();
buildControls();
buildTheme();
// the time of the first picture, for the benchmark and for tests
requestAnimationFrame(() => setTimeout(() => { document.documentElement.dataset.drawn = Math.round(performance.now()); }));

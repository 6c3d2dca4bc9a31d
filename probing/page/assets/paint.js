// The order of drawing: text first, then plotly, and each picture when it comes into view.

const SIGHT = "60px";
let version = 0;
const drawers = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) drawers.get(entry.target).visible = entry.isIntersecting;
  paintVisible();
}, { rootMargin: SIGHT });

function whenSeen(element, draw) {
  drawers.set(element, { draw, painted: -1, visible: false });
  watcher.observe(element);
}

function forget(element) {
  watcher.unobserve(element);
  drawers.delete(element);
}

function paintVisible() {
  if (!window.Plotly) return;
  const started = [];
  for (const [element, item] of drawers) {
    if (!item.visible || item.painted === version || !element.isConnected) continue;
    item.painted = version;
    started.push(item.draw());
  }
  if (started.length) Promise.all(started).then(() => requestAnimationFrame(() => setTimeout(noteDrawn)));
}

// plotly runs after the browser has shown the text
function loadPlotly() {
  const script = make("script", {}, byId("plotly").textContent);
  document.head.append(script);
  paintVisible();
}

function repaint() {
  version += 1;
  paintVisible();
}

// the time of the first picture, for the benchmark and for tests
function noteDrawn() {
  const page = document.documentElement.dataset;
  if (!page.drawn) page.drawn = Math.round(performance.now());
  page.paints = Number(page.paints || 0) + 1;
}

const theme = () => data.figures.themes[document.documentElement.dataset.theme];
const copy = (value) => JSON.parse(JSON.stringify(value));
const BARE = { displayModeBar: false, responsive: false, showTips: false, scrollZoom: false, doubleClick: false };

function draw(host, traces, layout) {
  return Plotly.react(host, traces, { ...layout, template: theme() }, BARE);
}

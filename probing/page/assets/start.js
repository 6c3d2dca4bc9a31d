// The start of the page.

function showDamaged() {
  if (!data.damaged.length) return;
  byId("damaged").hidden = false;
  byId("damaged").append(
    `${plural(data.damaged.length, "result file")} could not be read and ${data.damaged.length === 1 ? "is" : "are"} left out. Repeat the run that wrote ${data.damaged.length === 1 ? "it" : "them"}:`,
    make("ul", {}, ...data.damaged.map((file) => make("li", {}, `${file.file}: ${file.problem}`))));
}

// the kinds of results that the page has, with their numbers
const RESULTS = [["grid", data.grids, shownGrids], ["curve", data.curves, shownCurves], ["table", data.tables, shownTables]].filter(([, all]) => all.length);

function shownWords() {
  const count = RESULTS.reduce((sum, [, , shown]) => sum + shown().length, 0);
  const parts = RESULTS.map(([word, all, shown]) => `${shown().length} of ${plural(all.length, word)}`);
  return `${count} of ${plural(items.length, "result")} shown${RESULTS.length > 1 ? `: ${parts.join(", ")}` : ""}`;
}

function update() {
  byId("shown").textContent = shownWords();
  showCards();
  showSupport();
  showFound();
  showTopChoices();
  showCurves();
  showReports();
  showProfile();
  paintVisible();
}

function refit() {
  fitCards();
  if (difference) difference.fit(byId("difference").clientWidth);
  repaint();
}

function watchWidth() {
  let width = document.body.clientWidth;
  let timer = null;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.body.clientWidth === width) return;
      width = document.body.clientWidth;
      refit();
    }, 120);
  });
}

function showEmpty() {
  byId("empty").hidden = false;
  byId("where").textContent = `${data.root}/results`;
  const named = data.root === "outputs" ? "" : ` paths.root=${data.root}`;
  byId("again").textContent = `probing report${data.root === "outputs" ? "" : ` ${data.root}`}`;
  byId("try").textContent = `probing${named}\nprobing -m experiment=anatomy${named}`;
  noteDrawn();
}

function start() {
  byId("about").textContent = `${plural(items.length, "result")} of ${plural(data.runs.length, "run")} in ${data.root}/results; probing ${data.version}, ${data.created.slice(0, 16).replace("T", " ")} UTC`;
  buildTheme();
  showDamaged();
  if (!items.length) return showEmpty();
  byId("main").hidden = false;
  buildMeasures();
  buildPickers(update);
  buildTop();
  buildComparison();
  buildProfile();
  buildDetails();
  update();
  showComparison();
  watchWidth();
  requestAnimationFrame(() => setTimeout(() => {
    document.documentElement.dataset.readable = Math.round(performance.now());
    loadPlotly();
  }));
}

start();

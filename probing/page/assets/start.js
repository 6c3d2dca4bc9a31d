// The start of the page.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  byId("theme").setAttribute("aria-pressed", String(dark));
  repaint();
}

function showDamaged() {
  if (!data.damaged.length) return;
  byId("damaged").hidden = false;
  byId("damaged").append(
    `${plural(data.damaged.length, "result file")} could not be read and ${data.damaged.length === 1 ? "is" : "are"} left out. Repeat the run that wrote ${data.damaged.length === 1 ? "it" : "them"}:`,
    make("ul", {}, ...data.damaged.map((file) => make("li", {}, `${file.file}: ${file.problem}`))));
}

function update() {
  const shown = shownGrids().length + shownCurves().length + shownTables().length;
  byId("shown").textContent = `${shown} of ${plural(items.length, "result")} shown`;
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
  byId("about").textContent = `${plural(data.grids.length, "grid")} of ${plural(data.runs.length, "run")} in ${data.root}/results; probing ${data.version}, ${data.created.slice(0, 16).replace("T", " ")} UTC`;
  byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
  prefersDark.addEventListener("change", () => setTheme(prefersDark.matches));
  setTheme(prefersDark.matches);
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

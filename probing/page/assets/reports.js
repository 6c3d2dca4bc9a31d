// Tables of rows that cover no single layer: masking curves, pruned models, paths of gates.

const reportCards = new Map();

function reportCard(report) {
  if (reportCards.has(report)) return reportCards.get(report);
  const head = make("tr", {}, ...report.headings.map((name) => make("th", { scope: "col" }, name)));
  const body = report.lines.map((line) => make("tr", {}, ...line.map((text) => make("td", {}, text))));
  const element = make("article", { class: "card" },
    make("h3", {}, report.title), make("p", { class: "faint" }, subtitle(report, report.metric)), make("p", { class: "says" }, report.what), make("p", { class: "faint" }, report.counted),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${fullName(report)}: ${report.what}` },
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))),
    make("div", { class: "does" }, make("button", { type: "button", onclick: () => openDetails(report, null), "aria-label": `Configuration: ${fullName(report)}` }, "configuration")));
  reportCards.set(report, element);
  return element;
}

function showReports() {
  const reports = shownTables();
  byId("reports-section").hidden = !reports.length;
  byId("reports").replaceChildren(...reports.map(reportCard));
}

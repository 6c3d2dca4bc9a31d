// Tables that a click on a heading sorts.

// columns: name, text (whether it is text), of(row) to sort by, show(row) as content of the cell
function table(element, columns, rows, caption, sorted = null) {
  const order = sorted ? [...rows].sort((x, y) => compareValues(columns[sorted.column].of(x), columns[sorted.column].of(y), sorted.down)) : rows;
  const heading = (column, k) => {
    const state = sorted && sorted.column === k ? (sorted.down ? "descending" : "ascending") : "none";
    const sign = { none: "", ascending: " ▲", descending: " ▼" }[state];
    const click = () => {
      table(element, columns, rows, caption, { column: k, down: state === "none" ? !column.text : state === "ascending" });
      element.querySelectorAll("th button")[k].focus();
    };
    return make("th", { scope: "col", "aria-sort": state, class: column.text ? "text" : null }, make("button", { type: "button", onclick: click }, column.name + sign));
  };
  const line = (row) => make("tr", {}, ...columns.map((column) => make("td", { class: column.text ? "text" : null }, column.show(row))));
  element.replaceChildren(
    make("caption", { class: "hidden" }, caption),
    make("thead", {}, make("tr", {}, ...columns.map(heading))),
    make("tbody", {}, ...order.map(line)));
}

function compareValues(x, y, down) {
  if (!known(x) || !known(y)) return known(x) ? -1 : known(y) ? 1 : 0;
  const order = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
  return down ? -order : order;
}

function showFound() {
  const grids = shownGrids().filter(isFound);
  byId("found-section").hidden = !grids.length;
  const best = (grid, of) => (grid.support.best == null ? null : of(grid, grid.support.best));
  const full = (grid) => (grid.columns.full || []).find(known);
  const columns = [
    { name: "grid", text: true, of: fullName, show: (g) => `${fullName(g)}; ${measureName(g)}` },
    { name: "largest effect", text: true, of: (g) => best(g, place), show: (g) => best(g, place) ?? "–" },
    { name: "ranked on", text: true, of: (g) => g.found.ranked_on || null, show: (g) => g.found.ranked_on || "–" },
    { name: "value [95 %]", of: (g) => best(g, mainOf), show: (g) => (best(g, mainOf) == null ? "–" : amount(best(g, mainOf), g) + best(g, bounds)) },
    { name: "mean", of: (g) => g.support.mean, show: (g) => amount(g.support.mean, g) },
    { name: "cells without a difference", of: (g) => (g.support.bounded ? g.support.near_guess / g.support.bounded : null), show: (g) => (g.support.bounded ? `${g.support.near_guess} of ${g.support.bounded}` : "–") },
    { name: "full model", of: full, show: (g) => score(full(g), g) },
    { name: "test examples", of: (g) => g.sizes.n_test, show: (g) => (known(g.sizes.n_test) ? g.sizes.n_test.toLocaleString("en") : "–") },
  ];
  table(byId("found"), columns.filter((one, k) => k < 2 || grids.some((grid) => known(one.of(grid)))), grids, "Findings of analyses about heads");
}

function showSupport() {
  const grids = shownGrids().filter((grid) => !isFound(grid));
  byId("support-section").hidden = !grids.length;
  const best = (grid, name) => (grid.support.best == null ? null : cell(grid, name, grid.support.best));
  const column = (name, of, show) => ({ name, of, show });
  const columns = [
    { name: "grid", text: true, of: fullName, show: fullName },
    { name: "highest test score", text: true, of: (g) => (g.support.best == null ? null : place(g, g.support.best)), show: (g) => (g.support.best == null ? "–" : place(g, g.support.best)) },
    column("test [95 %]", (g) => best(g, "test"), (g) => `${score(best(g, "test"), g)}${interval(best(g, "test_low"), best(g, "test_high"), g)}`),
    column("p, best of all", (g) => best(g, "p_adjusted"), (g) => probability(best(g, "p_adjusted"))),
    column("mean test", (g) => g.support.mean, (g) => score(g.support.mean, g)),
    column("guessing", (g) => g.support.guess, (g) => score(g.support.guess, g)),
    column("cells not above guessing", (g) => (g.support.bounded ? notAbove(g.support) / g.support.bounded : null), (g) => (g.support.bounded ? `${notAbove(g.support)} of ${g.support.bounded}` : "–")),
    column("cells below guessing", (g) => g.support.below || null, (g) => (g.support.bounded ? String(g.support.below) : "–")),
    column("cells with p ≤ 0.05", (g) => g.support.significant, (g) => (known(g.support.significant) ? String(g.support.significant) : "–")),
    column("mean selectivity", (g) => g.support.selectivity, (g) => gap(g.support.selectivity, g)),
    column("mean above untrained", (g) => g.support.above_untrained, (g) => gap(g.support.above_untrained, g)),
    column("train examples", (g) => g.sizes.n_train, (g) => (known(g.sizes.n_train) ? g.sizes.n_train.toLocaleString("en") : "–")),
    column("test examples", (g) => g.sizes.n_test, (g) => (known(g.sizes.n_test) ? g.sizes.n_test.toLocaleString("en") : "–")),
  ];
  const filled = columns.filter((one, k) => k < 3 || grids.some((grid) => known(one.of(grid))));
  table(byId("support"), filled, grids, "Evidence in the numbers of each grid");
}

function keepChoice(select, options) {
  const before = select.value;
  select.replaceChildren(...options);
  if (options.some((one) => one.value === before)) select.value = before;
}

function showTopChoices() {
  const grids = shownGrids().filter(hasCells);
  byId("top-section").hidden = !grids.length;
  keepChoice(byId("top-grid"), grids.map((grid) => option(String(data.grids.indexOf(grid)), fullName(grid))));
  showTop();
}

function showTop() {
  const grid = data.grids[Number(byId("top-grid").value)];
  if (byId("top-section").hidden || !grid) return;
  const by = isFound(grid) ? "effect" : byId("top-by").value;
  byId("top-by").closest("label").hidden = isFound(grid);
  const of = (i) => (isFound(grid) ? need(grid, i) : cell(grid, by, i));
  const there = cells(grid).filter((i) => known(of(i)));
  const best = there.sort((i, j) => of(j) - of(i)).slice(0, Number(byId("top-n").value));
  const rank = new Map(best.map((i, k) => [i, k + 1]));
  const at = (name, show) => ({ name, of: (i) => cell(grid, name, i), show: (i) => show(cell(grid, name, i), grid) });
  const columns = [
    { name: "rank", of: (i) => rank.get(i), show: (i) => String(rank.get(i)) },
    { name: "cell", text: true, of: (i) => place(grid, i), show: (i) => make("button", { type: "button", onclick: () => openDetails(grid, i) }, place(grid, i)) },
    ...(isFound(grid) ? [{ name: measureName(grid), of: (i) => cell(grid, "value", i), show: (i) => amount(cell(grid, "value", i), grid) }] : [at("test", score)]),
    { name: "95 % interval", of: (i) => cell(grid, `${main(grid)}_low`, i), show: (i) => bounds(grid, i).trim() || "–" },
    ...(isFound(grid) ? [at("test", score)] : []),
    at("dev", score),
    { ...at("p_adjusted", probability), name: "p, best of all" },
    at("selectivity", gap),
    at("untrained", score),
  ];
  const filled = columns.filter((column) => best.some((i) => known(column.of(i))));
  table(byId("top"), filled, best, `Top cells of ${fullName(grid)} by ${by}`);
}

function buildTop() {
  for (const id of ["top-grid", "top-by", "top-n"]) byId(id).addEventListener("change", showTop);
}

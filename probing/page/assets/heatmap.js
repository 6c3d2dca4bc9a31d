// One heatmap, with a cell cursor that all heatmaps share.

const { l: LEFT, r: RIGHT, t: TOP, b: BOTTOM } = data.figures.heatmap.layout.margin;
const LEAST = 36; // pixels, so that the labels of the colour bar next to one row have room
const views = new Set();
let cursor = null;

function setCursor(layer, head) {
  cursor = { layer, head };
  for (const view of views) view.mark();
}

// outside the figures, so that no figure is too small for it
function showTip(lines, box) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map((line) => make("div", {}, line)));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const above = box.top - height - 8;
  tip.style.left = `${Math.max(8, Math.min(box.left - width / 2, document.documentElement.clientWidth - width - 8))}px`;
  tip.style.top = `${above > 8 ? above : box.bottom + 8}px`;
}

const hideTip = () => { byId("tip").hidden = true; };
addEventListener("scroll", hideTip, { passive: true });

function say(lines) {
  byId("live").textContent = lines.join("; ");
}

class Heatmap {
  // spec: columns, words(i), label, best, dots; values and range are read again at each drawing
  constructor(spec) {
    this.spec = spec;
    const { layer, head = [] } = spec.columns;
    this.layers = [...new Set(layer)].sort((a, b) => a - b);
    this.heads = [...new Set(layer.map((_, i) => head[i] ?? null))].sort((a, b) => a - b);
    this.rows = new Map(this.layers.map((value, row) => [value, row]));
    this.across = new Map(this.heads.map((value, column) => [value, column]));
    this.index = this.layers.map(() => this.heads.map(() => null));
    layer.forEach((value, i) => {
      this.index[this.rows.get(value)][this.across.get(head[i] ?? null)] = i;
    });
    this.plot = make("div", { class: "draw" });
    this.marker = make("div", { class: "cursor", hidden: true });
    const edges = `left:${LEFT}px;top:${TOP}px;bottom:${BOTTOM}px`;
    this.over = make("div", { class: "over", style: edges, "aria-hidden": "true" }, this.marker);
    this.element = make(
      "div",
      { class: "map", tabindex: "0", role: "application", "aria-roledescription": "heatmap", "aria-label": spec.label,
        "aria-describedby": "keys", onkeydown: (event) => this.key(event), onfocus: () => this.enter(), onblur: hideTip },
      this.plot,
      this.over,
    );
    whenSeen(this.element, () => this.draw());
    views.add(this);
  }

  remove() {
    views.delete(this);
    forget(this.element);
    Plotly.purge(this.plot);
    this.element.remove();
  }

  fit(width) {
    this.width = width;
    const across = (width - LEFT - RIGHT) / this.heads.length;
    const side = this.heads.length === 1 ? 20 : Math.min(this.spec.tallest ?? 24, Math.max(9, 0.72 * across));
    this.height = Math.round(Math.max(LEAST, side * this.layers.length) + TOP + BOTTOM);
    this.element.style.height = `${this.height}px`;
    this.over.style.width = `${width - LEFT - RIGHT}px`;
  }

  draw() {
    const figure = copy(data.figures.heatmap);
    const values = this.spec.values();
    const { low, high, diverging } = this.spec.range(values);
    const single = this.heads.length === 1;
    const fill = (of) => this.index.map((row) => row.map((i) => (i == null ? null : of(i))));
    const trace = {
      ...figure.trace, z: fill((i) => values[i]), zmin: low, zmax: high,
      colorscale: diverging ? theme().layout.colorscale.diverging : theme().layout.colorscale.sequential,
      ...(single ? { text: fill((i) => this.spec.short(values[i]) + (i === this.spec.best ? ` ◂ ${this.spec.mark ?? "best"}` : "")), texttemplate: "%{text}" } : {}),
    };
    trace.colorbar.tickformat = this.spec.tick;
    if (this.height - TOP - BOTTOM < 2 * LEAST) trace.colorbar.nticks = 3;
    const every = (count, room) => Math.max(1, Math.ceil(count / room));
    const named = (list, step, name) => {
      const places = list.map((_, k) => k).filter((k) => k % step === 0);
      return { tickvals: places, ticktext: places.map((k) => name(list[k])) };
    };
    const { layout } = figure;
    const wide = (this.width - LEFT - RIGHT) / 22;
    Object.assign(layout.xaxis, { range: [-0.5, this.heads.length - 0.5] }, single ? { showticklabels: false }
      : named(this.heads, every(this.heads.length, wide), String));
    Object.assign(layout.yaxis, { range: [-0.5, this.layers.length - 0.5] },
      named(this.layers, every(this.layers.length, this.height / 15), (l) => (l < 0 ? "emb" : String(l))));
    Object.assign(layout, { width: this.width, height: this.height });
    const fresh = !this.drawn;
    return draw(this.plot, [trace, ...this.marks(values, low, high, diverging)], layout).then(() => {
      if (fresh) this.listen();
      this.mark();
    });
  }

  // dots, and a black frame within white around the best cell, visible on dark and bright cells; one trace, since each costs time
  marks(values, low, high, diverging) {
    const { dots, lows = [], best } = this.spec;
    const bright = (i) => diverging || (values[i] - low) / (high - low || 1) > 0.55;
    const side = (this.height - TOP - BOTTOM) / this.layers.length;
    const frame = (color, width) => ({ i: best, symbol: "square-open", size: Math.max(6, side - 5), color, width });
    const small = (symbol, size) => (i) => ({ i, symbol, size, color: bright(i) ? "#111111" : "#ffffff", width: 0 });
    const points = [...dots.map(small("circle", 3.5)), ...lows.map(small("triangle-down", 5))];
    const single = this.heads.length === 1; // the cells show their values
    if (best != null && !single) points.push(frame("#ffffff", 4.5), frame("#111111", 2));
    if (!points.length) return [];
    const of = (name) => points.map((point) => point[name]);
    const places = points.map((point) => this.where(point.i));
    return [{
      type: "scatter", mode: "markers", hoverinfo: "skip", cliponaxis: false, x: places.map((at) => (single ? -0.45 : at[1])), y: places.map((at) => at[0]),
      marker: { symbol: of("symbol"), size: of("size"), color: of("color"), opacity: 1, line: { color: of("color"), width: of("width") } },
    }];
  }

  listen() {
    this.drawn = true;
    const picked = (event) => {
      const point = event.points.find((p) => p.data.type === "heatmap");
      return point ? this.index[point.y][point.x] : null;
    };
    this.plot.on("plotly_hover", (event) => {
      const i = picked(event);
      if (i != null) this.go(i, false);
    });
    this.plot.on("plotly_unhover", hideTip);
    this.plot.on("plotly_click", (event) => {
      const i = picked(event);
      if (i != null) this.spec.open(i);
    });
  }

  where(i) {
    return [this.rows.get(this.spec.columns.layer[i]), this.across.get((this.spec.columns.head || [])[i] ?? null)];
  }

  // the place of the cursor in this grid: a cell, a whole row if only the layer is shared, or nothing
  found() {
    if (!cursor || !this.rows.has(cursor.layer)) return null;
    const row = this.rows.get(cursor.layer);
    if (this.across.has(cursor.head)) return [row, this.across.get(cursor.head), 1];
    if (cursor.head == null) return [row, 0, this.heads.length];
    return this.heads.length === 1 && this.heads[0] == null ? [row, 0, 1] : null;
  }

  mark() {
    const found = this.found();
    this.marker.hidden = !found;
    if (!found) return;
    const [row, column, across] = found;
    const part = (value, of) => `${(100 * value) / of}%`;
    Object.assign(this.marker.style, {
      left: part(column, this.heads.length), width: part(across, this.heads.length),
      top: part(this.layers.length - 1 - row, this.layers.length), height: part(1, this.layers.length),
    });
  }

  current() {
    const found = this.found();
    const here = found && found[2] === 1 ? this.index[found[0]][found[1]] : null;
    return here ?? this.spec.best ?? 0;
  }

  enter() {
    if (this.element.matches(":focus-visible")) this.go(this.current(), true);
  }

  go(i, aloud) {
    setCursor(this.spec.columns.layer[i], (this.spec.columns.head || [])[i] ?? null);
    showTip(this.spec.words(i), this.box(this.where(i)));
    if (aloud) say(this.spec.words(i));
  }

  // the place of a cell on the screen
  box([row, column]) {
    const area = this.over.getBoundingClientRect();
    const [width, height] = [area.width / this.heads.length, area.height / this.layers.length];
    return { left: area.left + width * (column + 0.5), top: area.bottom - height * (row + 1), bottom: area.bottom - height * row };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const i = this.current();
    const [row, column] = this.where(i);
    const [top, right] = [this.layers.length - 1, this.heads.length - 1];
    const moves = {
      ArrowUp: [row + 1, column], ArrowDown: [row - 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [row, 0], End: [row, right], PageUp: [top, column], PageDown: [0, column],
    };
    if (event.key === "Enter" || event.key === " ") this.spec.open(i);
    else if (event.key.toLowerCase() === "b" && this.spec.best != null) this.go(this.spec.best, true);
    else if (event.key === "Escape") hideTip();
    else if (moves[event.key]) {
      const next = (this.index[moves[event.key][0]] || [])[moves[event.key][1]];
      this.go(next ?? i, true);
    } else return;
    event.preventDefault();
  }
}

// A chart of a few lines, drawn as SVG so that style.css colours it.
import { h, svg } from "./dom.js";

const margin = { left: 52, right: 14, top: 12, bottom: 40 };

// ticks of an axis: of a linear one round numbers, of a logarithmic one 1, 2, 5 or
// powers of ten.
function ticks([low, high], log, most) {
  if (log) {
    const out = [], from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
    const wide = to - from > 3;
    for (let e = from; e <= to; e++) {
      for (const m of wide ? [1] : [1, 2, 5]) {
        const v = m * 10 ** e;
        if (v >= low * 0.999 && v <= high * 1.001) out.push(v);
      }
    }
    if (out.length > 2) return out;
  }
  const rough = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) out.push(Math.abs(v) < step * 1e-6 ? 0 : v);
  return out;
}

const label = (v) => (v === 0 ? "0" : Math.abs(v) >= 1000 ? `${+(v / 1000).toFixed(1)}k` : String(+v.toPrecision(3)));

export class Chart {
  constructor({ label, x, y, logX = false, logY = false, height = 260 }) {
    Object.assign(this, { x, y, logX, logY, height, series: [] });
    this.svg = svg("svg", { role: "img", "aria-label": label });
    this.legend = h("ul", { class: "legend" });
    this.element = h("figure", { class: "chart" }, this.svg, this.legend);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  // set shows series: {name, color, x, y, low, high, dash, dots}, x rising. width is the
  // range of x, if it is known before.
  set(series, { floor = null, floorName = "", here = null, width = null } = {}) {
    Object.assign(this, { series, floor, floorName, here, width });
    this.draw();
  }

  #range(values, log, pad) {
    let low = Infinity, high = -Infinity;
    for (const v of values) {
      if (!Number.isFinite(v) || (log && v <= 0)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    if (low > high) return log ? [0.1, 1] : [0, 1];
    if (log) return [low / (1 + pad), Math.max(high, low * 1.5) * (1 + pad)];
    if (low === high) return [low - 0.5, high + 0.5];
    const room = (high - low) * pad;
    return [low - room, high + room];
  }

  draw() {
    const width = Math.round(this.element.clientWidth);
    if (!width) return;
    const w = width - margin.left - margin.right, hgt = this.height - margin.top - margin.bottom;
    const all = (f) => this.series.flatMap(f);
    const xr = this.width || this.#range(all((s) => [s.x[0], s.x[s.x.length - 1]]), this.logX, this.logX ? 0.12 : 0);
    const yr = this.#range([...all((s) => Array.from(s.y)), ...(this.floor ? [this.floor] : [])], this.logY, this.logY ? 0.15 : 0.06);
    const scale = ([low, high], log, size) => (log
      ? (v) => ((Math.log(v) - Math.log(low)) / (Math.log(high) - Math.log(low))) * size
      : (v) => ((v - low) / (high - low)) * size);
    const sx = scale(xr, this.logX, w), sy = scale(yr, this.logY, hgt);
    const X = (v) => +(margin.left + sx(v)).toFixed(1), Y = (v) => +(margin.top + hgt - sy(Math.max(v, this.logY ? yr[0] : v))).toFixed(1);
    const clip = (y) => Math.max(margin.top - 2, Math.min(margin.top + hgt + 2, y));

    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    const parts = [];
    for (const v of ticks(yr, this.logY, 5)) {
      parts.push(svg("line", { class: "gridline", x1: margin.left, x2: margin.left + w, y1: Y(v), y2: Y(v) }));
      parts.push(svg("text", { x: margin.left - 8, y: Y(v) + 4, "text-anchor": "end" }, label(v)));
    }
    for (const v of ticks(xr, this.logX, Math.max(3, w / 70))) {
      parts.push(svg("text", { x: X(v), y: margin.top + hgt + 18, "text-anchor": "middle" }, label(v)));
    }
    parts.push(svg("line", { class: "axis", x1: margin.left, x2: margin.left + w, y1: margin.top + hgt, y2: margin.top + hgt }));
    parts.push(svg("text", { x: margin.left + w, y: this.height - 4, "text-anchor": "end" }, this.x));
    if (this.floor) parts.push(svg("line", { class: "floor", x1: margin.left, x2: margin.left + w, y1: Y(this.floor), y2: Y(this.floor) }));
    if (this.here && this.here >= xr[0] && this.here <= xr[1]) {
      parts.push(svg("line", { class: "here", x1: X(this.here), x2: X(this.here), y1: margin.top, y2: margin.top + hgt }));
    }
    for (const s of this.series) {
      const points = Array.from(s.x, (x, i) => [X(x), clip(Y(s.y[i]))]).filter((p) => p.every(Number.isFinite));
      if (s.low && points.length > 1) {
        const up = Array.from(s.x, (x, i) => `${X(x)},${clip(Y(s.high[i]))}`), down = Array.from(s.x, (x, i) => `${X(x)},${clip(Y(s.low[i]))}`).reverse();
        parts.push(svg("polygon", { class: `band ${s.color}`, points: [...up, ...down].join(" ") }));
      }
      if (points.length > 1) parts.push(svg("polyline", { class: `line ${s.color}${s.dash ? " thin" : ""}`, points: points.join(" ") }));
      if (s.dots) for (const [x, y] of points) parts.push(svg("circle", { class: s.color, cx: x, cy: y, r: s.dash ? 2.6 : 3.4 }));
    }
    this.svg.replaceChildren(...parts);
    this.svg.dataset.points = all((s) => [s.x.length]).reduce((a, b) => a + b, 0);
    const items = this.series.filter((s) => s.name).map((s) => h("li", {}, h("span", { class: `key ${s.color}${s.dash ? " dash" : ""}` }), s.name));
    if (this.floor) items.push(h("li", {}, h("span", { class: "key floor" }), this.floorName));
    this.legend.replaceChildren(...(items.length ? [h("li", {}, `${this.y}:`)] : []), ...items);
  }
}

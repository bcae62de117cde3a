// A plane on which points move: the density of the set behind, the velocity field, the
// points, and the paths of those that were dropped.
import { h } from "./dom.js";

const styles = () => getComputedStyle(document.documentElement);

export class Plane {
  constructor({ title = "", color = "a", label, paper = false, dropped } = {}) {
    this.color = color;
    this.canvas = h("canvas", { tabindex: dropped ? 0 : null, role: "img", "aria-label": label || title });
    this.note = h("span", { class: "quiet" });
    this.title = h("span", {}, title);
    this.figure = h("figure", { class: paper ? "plane paper" : "plane" },
      h("figcaption", {}, h("span", { class: `dot ${color}` }), this.title, this.note), this.canvas);
    this.show = { density: true, field: true, points: true };
    this.view = { x0: -3.2, x1: 3.2, y0: -3.2, y1: 3.2 };
    this.t = 1;
    this.paths = [];
    this.radius = 1.7;
    this.clear();
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
    if (dropped) this.#listen(dropped);
  }

  // clear forgets points and field.
  clear() {
    this.trace = null;
    this.old = null;
    this.field = null;
    this.still = null; // points that do not move: a drawing
  }

  setView(v) {
    this.view = { x0: v.x0, x1: v.x1, y0: v.y0, y1: v.y1 };
    this.density = v.density ? { cells: v.cells, values: v.density } : null;
    this.#behind = null;
  }

  // Points come frame by frame and batch by batch, in no order; those of the trace before
  // stand for the ones that are still to come, where they start from the same noise.
  begin(times, count, same) {
    this.old = same ? this.trace : null;
    this.trace = { times, frames: times.map(() => new Float32Array(2 * count).fill(NaN)) };
  }

  add(frame, first, x) { this.trace.frames[frame].set(x, 2 * first); }

  // at gives the points at time t, NaN for those that are not known: [n,2].
  #at({ times, frames }, t) {
    let i = 0;
    while (i < times.length - 2 && times[i + 1] < t) i++;
    const j = Math.min(i + 1, times.length - 1);
    const s = j === i ? 0 : Math.max(0, Math.min(1, (t - times[i]) / (times[j] - times[i])));
    const a = frames[i], b = frames[j];
    if (s === 0) return a;
    if (s === 1) return b;
    return a.map((v, k) => v + s * (b[k] - v));
  }

  // The field at a time is blended from the two nearest that are known.
  #velocities(t) {
    const { times, values } = this.field;
    let before = -1, after = -1;
    for (let i = 0; i < times.length; i++) {
      if (!values[i]) continue;
      if (times[i] <= t) before = i;
      else if (after < 0) after = i;
    }
    if (before < 0 && after < 0) return null;
    if (before < 0 || after < 0) return values[before < 0 ? after : before];
    const s = (t - times[before]) / (times[after] - times[before]);
    const a = values[before], b = values[after], out = new Float32Array(a.length);
    for (let i = 0; i < a.length; i++) out[i] = a[i] + s * (b[i] - a[i]);
    return out;
  }

  #resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2), side = Math.round(this.canvas.clientWidth * ratio);
    if (side > 0 && side !== this.canvas.width) {
      this.canvas.width = this.canvas.height = side;
      this.ratio = ratio;
      this.#behind = null;
      this.draw();
    }
  }

  #px(x) { return ((x - this.view.x0) / (this.view.x1 - this.view.x0)) * this.canvas.width; }
  #py(y) { return (1 - (y - this.view.y0) / (this.view.y1 - this.view.y0)) * this.canvas.height; }

  // place is the point of the plane under an event.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: this.view.x0 + ((event.clientX - box.left) / box.width) * (this.view.x1 - this.view.x0),
      y: this.view.y1 - ((event.clientY - box.top) / box.height) * (this.view.y1 - this.view.y0),
    };
  }

  // A click drops a point; with the keyboard, Enter does where the cross is, and arrows
  // with shift move that.
  #listen(dropped) {
    this.canvas.addEventListener("click", (e) => {
      this.cross = null;
      if (e.detail !== 0) dropped(this.place(e));
    });
    this.canvas.addEventListener("keydown", (e) => {
      const step = (this.view.x1 - this.view.x0) / 40;
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[e.key];
      if (move && (e.shiftKey || e.key === "ArrowUp" || e.key === "ArrowDown")) {
        this.cross ??= { x: (this.view.x0 + this.view.x1) / 2, y: (this.view.y0 + this.view.y1) / 2 };
        this.cross.x += move[0];
        this.cross.y += move[1];
        this.draw();
      } else if (e.key === "Enter") {
        dropped(this.cross ?? { x: (this.view.x0 + this.view.x1) / 2, y: (this.view.y0 + this.view.y1) / 2 });
      } else return;
      e.preventDefault();
      e.stopPropagation();
    });
    this.canvas.addEventListener("blur", () => { this.cross = null; this.draw(); });
  }

  #behind = null; // the density, drawn once a size and a colour scheme

  #drawDensity(c, css) {
    const shade = css.getPropertyValue("--shade").trim();
    if (!this.#behind || this.#behind.shade !== shade) {
      const { cells, values } = this.density;
      const small = new OffscreenCanvas(cells, cells), s = small.getContext("2d"), image = s.createImageData(cells, cells);
      s.fillStyle = shade;
      s.fillRect(0, 0, 1, 1);
      const [r, g, b] = s.getImageData(0, 0, 1, 1).data;
      for (let y = 0; y < cells; y++) {
        for (let x = 0; x < cells; x++) {
          const to = 4 * ((cells - 1 - y) * cells + x);
          image.data.set([r, g, b, 62 * Math.min(1, values[y * cells + x] * 1.3)], to);
        }
      }
      s.putImageData(image, 0, 0);
      this.#behind = { shade, image: small, lines: [0.12, 0.4, 0.7].map((level) => this.#contour(level)) };
    }
    c.imageSmoothingEnabled = true;
    c.imageSmoothingQuality = "high";
    c.drawImage(this.#behind.image, 0, 0, this.canvas.width, this.canvas.height);
    c.strokeStyle = shade;
    c.lineWidth = this.ratio;
    c.globalAlpha = 0.5;
    for (const line of this.#behind.lines) c.stroke(line);
    c.globalAlpha = 1;
  }

  // contour is the line of a level, by marching squares.
  #contour(level) {
    const { cells, values } = this.density, path = new Path2D(), side = this.canvas.width / cells;
    const at = (x, y) => values[y * cells + x];
    const X = (x) => (x + 0.5) * side, Y = (y) => this.canvas.height - (y + 0.5) * side;
    for (let y = 0; y + 1 < cells; y++) {
      for (let x = 0; x + 1 < cells; x++) {
        const corners = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], cuts = [];
        for (let k = 0; k < 4; k++) {
          const [ax, ay] = corners[k], [bx, by] = corners[(k + 1) % 4], a = at(ax, ay), b = at(bx, by);
          if (a > level !== b > level) {
            const s = (level - a) / (b - a);
            cuts.push([X(ax + s * (bx - ax)), Y(ay + s * (by - ay))]);
          }
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) {
          path.moveTo(...cuts[k]);
          path.lineTo(...cuts[k + 1]);
        }
      }
    }
    return path;
  }

  #drawField(c, css) {
    const v = this.#velocities(this.t);
    if (!v) return;
    const side = this.field.side, cell = this.canvas.width / side;
    const every = cell < 13 * this.ratio ? 2 : 1; // on a phone, every second arrow of every second row
    const greatest = this.field.greatest || 1;
    c.strokeStyle = c.fillStyle = css.getPropertyValue("--field").trim();
    c.lineWidth = 1.15 * this.ratio;
    c.lineCap = "round";
    c.beginPath();
    for (let i = 0; i < side * side; i++) {
      const vx = v[2 * i], vy = v[2 * i + 1], speed = Math.hypot(vx, vy);
      if (!(speed > 0) || (i % side) % every || Math.floor(i / side) % every) continue;
      // The length goes with the root of the speed, so that slow ones are seen.
      const length = 0.86 * every * cell * Math.sqrt(Math.min(1, speed / greatest));
      const x = ((i % side) + 0.5) * cell, y = this.canvas.height - (Math.floor(i / side) + 0.5) * cell;
      const dx = (vx / speed) * length, dy = (-vy / speed) * length;
      const hx = x + dx / 2, hy = y + dy / 2, head = Math.min(length * 0.4, 3.4 * this.ratio) / Math.max(length, 1e-6);
      c.moveTo(x - dx / 2, y - dy / 2);
      c.lineTo(hx, hy);
      if (length > 3 * this.ratio) {
        c.moveTo(hx - head * (dx + dy * 0.6), hy - head * (dy - dx * 0.6));
        c.lineTo(hx, hy);
        c.lineTo(hx - head * (dx - dy * 0.6), hy - head * (dy + dx * 0.6));
      }
    }
    c.stroke();
  }

  // setField puts the field at one of its times.
  setField(index, values) {
    this.field.values[index] = values;
    let greatest = this.field.greatest || 0;
    const speeds = [];
    for (let i = 0; i < values.length; i += 2) speeds.push(Math.hypot(values[i], values[i + 1]));
    speeds.sort((a, b) => a - b);
    greatest = Math.max(greatest, speeds[Math.floor(speeds.length * 0.95)]);
    this.field.greatest = greatest;
  }

  #dots(c, points, radius) {
    const r = radius * this.ratio, width = this.canvas.width, height = this.canvas.height;
    c.beginPath();
    for (let i = 0; i + 1 < points.length; i += 2) {
      const x = this.#px(points[i]), y = this.#py(points[i + 1]);
      if (!(x >= -r && y >= -r && x <= width + r && y <= height + r)) continue; // or NaN
      c.moveTo(x + r, y);
      c.arc(x, y, r, 0, 7);
    }
    c.fill();
  }

  draw() {
    const c = this.canvas.getContext("2d"), css = styles();
    if (!this.canvas.width) return;
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.density && this.show.density) this.#drawDensity(c, css);
    if (this.field && this.show.field) this.#drawField(c, css);
    const ink = css.getPropertyValue(`--${this.color}`).trim();
    const small = Math.max(0.5, Math.min(1.15, this.canvas.clientWidth / 400)); // on a phone, of smaller dots
    if (this.still) {
      c.fillStyle = css.getPropertyValue("--muted").trim();
      c.globalAlpha = 0.5;
      this.#dots(c, this.still, 2.1 * small);
      c.globalAlpha = 1;
    }
    if (this.trace && this.show.points) {
      c.fillStyle = ink;
      c.globalAlpha = 0.78;
      let points = this.#at(this.trace, this.t);
      if (this.old) {
        const before = this.#at(this.old, this.t);
        points = points.map((v, k) => (Number.isNaN(v) ? before[k] : v));
      }
      this.#dots(c, points, this.radius * small);
      c.globalAlpha = 1;
    }
    this.#drawPaths(c, css.getPropertyValue("--ink").trim(), css.getPropertyValue("--plane").trim());
    if (this.cross) {
      const x = this.#px(this.cross.x), y = this.#py(this.cross.y), r = 9 * this.ratio;
      c.strokeStyle = css.getPropertyValue("--ink").trim();
      c.lineWidth = 1.5 * this.ratio;
      c.beginPath();
      c.moveTo(x - r, y);
      c.lineTo(x + r, y);
      c.moveTo(x, y - r);
      c.lineTo(x, y + r);
      c.stroke();
    }
  }

  #drawPaths(c, ink, ground) {
    for (const { times, x } of this.paths) {
      const trace = { times, frames: times.map((_, i) => x.subarray(2 * i, 2 * i + 2)) };
      const now = this.#at(trace, this.t);
      const line = (from, to, alpha, width) => {
        c.beginPath();
        let begun = false;
        const go = (px, py) => { begun ? c.lineTo(px, py) : c.moveTo(px, py); begun = true; };
        if (from > times[0]) go(this.#px(now[0]), this.#py(now[1]));
        for (let i = 0; i < times.length; i++) {
          if (times[i] >= from && times[i] <= to) go(this.#px(x[2 * i]), this.#py(x[2 * i + 1]));
        }
        if (to < times[times.length - 1]) go(this.#px(now[0]), this.#py(now[1]));
        c.strokeStyle = ink;
        c.globalAlpha = alpha;
        c.lineWidth = width * this.ratio;
        c.lineJoin = "round";
        c.stroke();
      };
      line(times[0], this.t, 0.95, 2);
      line(this.t, times[times.length - 1], 0.4, 1.4);
      c.globalAlpha = 1;
      const dot = (px, py, r, fill) => {
        c.beginPath();
        c.arc(this.#px(px), this.#py(py), r * this.ratio, 0, 7);
        c.fillStyle = fill;
        c.strokeStyle = ink;
        c.lineWidth = 1.6 * this.ratio;
        c.fill();
        c.stroke();
      };
      dot(x[0], x[1], 2.6, ground);
      dot(now[0], now[1], 4.4, ink);
    }
  }
}

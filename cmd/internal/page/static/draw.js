// Draw: a set of one's own, and a network that learns it while one looks on.
import { h, slider, seedField, toggles, commandLine, timeBar, lede, notice, calm, count, took } from "./dom.js";
import { Latest, floats } from "./net.js";
import { Plane } from "./plane.js";
import { Chart } from "./chart.js";

const most = 8000, least = 20;

// normal numbers from a seed, so that an example is the same each time.
function generator(seed) {
  let s = seed >>> 0;
  const uniform = () => { // mulberry32
    s = (s + 0x6d2b79f5) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

// examples are sets to begin with: each gives a point for a number in [0,1).
const examples = {
  Spiral: (u) => { const a = 0.6 + 3.6 * Math.PI * Math.sqrt(u); return [0.2 * a * Math.cos(a), 0.2 * a * Math.sin(a)]; },
  Ring: (u) => [2 * Math.cos(2 * Math.PI * u), 2 * Math.sin(2 * Math.PI * u)],
  Heart: (u) => { const a = 2 * Math.PI * u; return [0.135 * 16 * Math.sin(a) ** 3, 0.135 * (13 * Math.cos(a) - 5 * Math.cos(2 * a) - 2 * Math.cos(3 * a) - Math.cos(4 * a))]; },
  Islands: (u) => { const k = Math.floor(5 * u), a = (2 * Math.PI * k) / 5 + Math.PI / 2, r = 2 + 0; const s = 5 * u - k, b = 2 * Math.PI * s * 7; return [r * Math.cos(a) + 0.28 * Math.sqrt(s) * Math.cos(b), r * Math.sin(a) + 0.28 * Math.sqrt(s) * Math.sin(b)]; },
};

const round = (v) => Math.round(v * 1e4) / 1e4;

export class Draw {
  constructor({ settings, remember, refresh }) {
    Object.assign(this, { remember, refresh });
    this.settings = { steps: Number(settings.get("steps")) || 1500, seed: Number(settings.get("seed") ?? 42) };
    this.shown = { field: true, points: true, drawing: true };
    this.random = generator(7);
    this.strokes = [];
    this.request = new Latest();
    this.recalled = new Latest();
    this.#build();
  }

  #build() {
    const s = this.settings;
    this.plane = new Plane({ title: "Your set", color: "a", label: "A square to draw points on. Without a mouse, take one of the examples.", paper: true });
    this.plane.density = null;
    this.plane.radius = 2;
    this.time = timeBar((t) => { this.plane.t = t; this.plane.draw(); }, { seconds: 2.2 });
    this.notice = notice();
    this.facts = h("p", { class: "quiet", role: "status" });
    this.train = h("button", { type: "button", class: "first", onclick: () => (this.request.busy ? this.#stop() : this.#train()) }, "Train");
    this.undo = h("button", { type: "button", onclick: () => { this.strokes.pop(); this.#drawn(); } }, "Undo");
    this.clear = h("button", { type: "button", onclick: () => { this.strokes = []; this.#drawn(); } }, "Clear");
    this.save = h("button", { type: "button", onclick: () => this.#save() }, "Save drawing.csv");
    this.onward = h("a", { class: "button", href: "#flow" }, "Look closer in Flow");
    this.onward.hidden = true;
    this.chart = new Chart({ label: "Loss by step", x: "steps", y: "Loss", height: 190 });
    this.lossBox = h("div", {}, h("h2", {}, "Loss"), this.chart.element);
    this.command = commandLine("The same training in a shell, after “Save drawing.csv”:");
    this.element = h("section", { class: "view single" },
      lede("Draw a set, and watch a flow learn it", "Spread points with the mouse or a finger. A small network starts to learn as soon as you let go: the arrows turn until they carry noise to what you drew."),
      this.notice,
      h("div", { class: "stage" }, h("div", { class: "planes one" }, this.plane.figure), this.time, this.facts),
      h("div", { class: "panel" },
        h("div", { class: "row" }, this.train, this.undo, this.clear),
        h("fieldset", {}, h("legend", {}, "Or take an example"), h("div", { class: "row" }, Object.keys(examples).map((name) => h("button", { type: "button", class: "chip", onclick: () => this.#example(name) }, name)))),
        slider("Steps of training", { min: 200, max: 6000, step: 100, value: s.steps, text: count }, (v) => { s.steps = v; this.#restart(); }),
        seedField(s.seed, (v) => { s.seed = v; this.#restart(); }),
        toggles("Shown", [["points", "Samples"], ["field", "Field"], ["drawing", "Drawing"]], this.shown, () => this.#show()),
        this.lossBox,
        h("div", { class: "row" }, this.save, this.onward)),
      this.command);
    this.#listen();
  }

  #listen() {
    const canvas = this.plane.canvas;
    let stroke = null, last = null;
    const spread = (at) => {
      // About so many points for the way since the last event.
      const far = last ? Math.hypot(at.x - last.x, at.y - last.y) : 0.05;
      for (let i = Math.max(1, Math.round(far * 60)); i > 0 && this.#count() < most; i--) {
        const u = last ? this.random.uniform() : 1, from = last ?? at;
        stroke.push(round(from.x + u * (at.x - from.x) + 0.09 * this.random.normal()), round(from.y + u * (at.y - from.y) + 0.09 * this.random.normal()));
      }
      last = at;
      this.#show();
    };
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      canvas.setPointerCapture(e.pointerId);
      if (this.isExample) this.strokes = [];
      this.isExample = false;
      stroke = [];
      this.strokes.push(stroke);
      this.#stop();
      this.time.pause();
      this.#forget();
      spread(this.plane.place(e));
    });
    canvas.addEventListener("pointermove", (e) => { if (stroke) for (const p of e.getCoalescedEvents?.() ?? [e]) spread(this.plane.place(p)); });
    const up = () => {
      if (!stroke) return;
      stroke = last = null;
      this.#drawn();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
  }

  #count() { return this.strokes.reduce((n, s) => n + s.length / 2, 0); }

  // example shows a set to begin with. One that nobody has asked for is trained on when
  // somebody does, and shown at once as it was learnt before, if it was.
  #example(name, asked = true) {
    const g = generator(11), f = examples[name], stroke = [];
    for (let i = 0; i < 1200; i++) {
      const [x, y] = f(g.uniform());
      stroke.push(round(x + 0.07 * g.normal()), round(y + 0.07 * g.normal()));
    }
    this.strokes = [stroke];
    this.isExample = true;
    if (asked) this.#drawn();
    else this.#recall();
  }

  async #recall() {
    this.#forget();
    const { kept } = (await this.recalled.ask("kept", this.#asking(), () => {})) ?? {};
    if (this.request.busy || this.about || !this.isExample) return; // meanwhile something else was asked for
    if (kept) {
      this.#begin(kept.start);
      for (const [i, step] of kept.steps.entries()) this.#lost(step, kept.loss[i]);
      this.chart.set(this.#losses());
      this.#film(kept.film);
      this.#done(kept.done);
    } else {
      this.facts.textContent = "An example: press Train to see a network learn it, or draw a set of your own.";
    }
  }

  // forget takes away what was learnt of another drawing.
  #forget() {
    this.about = null;
    this.plane.clear();
    this.chart.set([]);
    this.onward.hidden = true;
    this.command.show("");
    this.facts.textContent = "";
    this.#show();
  }

  #drawn() {
    this.#forget();
    if (this.#count() >= least) this.#train();
    else this.#stop();
  }

  // restart trains again by other settings, if anything was trained.
  #restart() {
    if (!this.about && !this.request.busy) this.remember(this.settings);
    else if (this.#count() >= least) this.#train();
  }

  #asking() { return { points: this.strokes.flat(), iterations: this.settings.steps, seed: this.settings.seed }; }

  #show() {
    const n = this.#count();
    this.plane.still = this.shown.drawing ? Float32Array.from(this.strokes.flat()) : null;
    this.plane.note.textContent = n ? `${count(n)} points` : "nothing yet: draw here";
    this.plane.show = { points: this.shown.points, field: this.shown.field, density: false };
    this.train.textContent = this.request.busy ? "Stop" : "Train";
    this.train.disabled = n < least;
    this.lossBox.hidden = !this.about; // nothing was trained yet
    this.undo.disabled = this.clear.disabled = this.save.disabled = n === 0;
    this.plane.draw();
  }

  #stop() {
    if (this.unfinished) this.facts.textContent = this.step ? `Stopped after step ${count(this.step)} of ${count(this.about.total)}.` : "";
    this.unfinished = false;
    this.request.stop();
    this.#show();
  }

  async #train() {
    this.remember(this.settings);
    this.notice.say("");
    this.onward.hidden = true;
    this.unfinished = true;
    this.step = 0;
    this.facts.textContent = "";
    const late = setTimeout(() => { this.facts.textContent = "Waiting for its turn: something else is being computed."; }, 1000);
    const training = this.request.stream("train", this.#asking(), {
      start: (about) => {
        clearTimeout(late);
        this.#begin(about);
        if (!calm() && !this.time.playing()) { this.time.set(0); this.time.play(true); }
      },
      progress: ({ step, loss, rate }) => {
        this.step = step;
        if (loss?.length) {
          this.#lost(step, loss.reduce((a, b) => a + b, 0) / loss.length);
          this.chart.set(this.#losses());
        }
        this.facts.textContent = `Step ${count(step)} of ${count(this.about.total)}, ${count(Math.round(rate))} a second.`;
      },
      film: (film) => this.#film(film),
      done: (done) => {
        this.unfinished = false;
        this.#done(done);
        this.element.dataset.trained = String(Number(this.element.dataset.trained || 0) + 1);
        this.refresh();
      },
    }, (e) => {
      this.unfinished = false;
      this.notice.say(e, () => this.#train());
    });
    this.#show();
    await training;
    clearTimeout(late);
    this.#show();
  }

  // What a training shows: at its beginning, at each look, now and then what was learnt,
  // and at its end.
  #begin(about) {
    this.about = about;
    this.lossBox.hidden = false;
    this.lossOf = { x: [], y: [] };
    this.command.show(about.command);
    this.plane.field = { side: about.side, times: about.times, values: about.times.map(() => null), greatest: 0 };
  }

  #lost(step, loss) {
    this.lossOf.x.push(step);
    this.lossOf.y.push(loss);
  }

  #losses() { return [{ color: "a", ...this.lossOf }]; }

  #film({ x, v }) {
    this.plane.trace = { times: this.about.times, frames: x.map(floats) };
    this.plane.field.greatest = 0;
    v.forEach((values, i) => this.plane.setField(i, floats(values)));
    this.plane.draw();
  }

  #done({ step, took: ms, model }) {
    this.facts.textContent = `${count(step)} steps in ${took(ms)}: the dots are samples of what the network has learnt.`;
    this.onward.href = `#flow?model=${model}`;
    this.onward.hidden = false;
  }

  #save() {
    const points = this.strokes.flat(), lines = [];
    for (let i = 0; i < points.length; i += 2) lines.push(`${points[i]},${points[i + 1]}\n`);
    const url = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
    h("a", { href: url, download: "drawing.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  enter() {
    if (this.strokes.length === 0) this.#example("Spiral", false);
    else this.#show();
  }

  leave() {
    this.#stop();
    this.time.pause();
  }

  // A server that has started again knows nothing of what was trained. What it was in the
  // middle of goes on; the rest is there to be seen.
  update(_, restarted) {
    if (!restarted) return;
    this.onward.hidden = true;
    if (this.unfinished) this.#train();
  }

  redraw() { this.plane.draw(); }
  key(e) { this.time.key(e); }
}

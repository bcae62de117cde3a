// Flow: points of the plane on their way from noise to data.
import { h, choice, slider, seedField, toggles, checkbox, commandLine, timeBar, lede, notice, again, modelOption, calm, count, took } from "./dom.js";
import { Latest, floats } from "./net.js";
import { Plane } from "./plane.js";
import { Chart } from "./chart.js";

const points = 1500, mostDropped = 12;
const familyNames = { cfm: "flow matching", reflow: "rectified", distill: "distilled to one step", drawn: "your drawing", pretrained: "flow matching", "pretrained-reflow": "rectified" };
export const solverOptions = (methods) => methods.map((m) => [m.name, m.adaptive ? `${m.name} (chooses its steps)` : m.name]);

export class Flow {
  constructor({ settings, remember }) {
    this.remember = remember;
    this.settings = {
      model: settings.get("model") || "", beside: settings.get("beside") !== "no",
      method: settings.get("method") || "midpoint", steps: Number(settings.get("steps")) || 10,
      rtol: Number(settings.get("rtol")) || 1e-4, seed: Number(settings.get("seed") ?? 42),
    };
    this.requests = { target: new Latest(), trace: new Latest(), field: new Latest(), paths: new Latest(), quality: new Latest() };
    this.shown = { density: true, field: true, points: true };
    this.known = null;
    this.planes = [];
    this.dropped = [];
    this.quality = null;
    this.#build();
  }

  #build() {
    const s = this.settings;
    this.lede = lede("", "");
    this.notice = notice();
    this.frame = h("div", { class: "planes" });
    this.time = timeBar((t) => this.#move(t));
    this.model = choice("Model", [], "", (v) => { s.model = v; this.#open(); });
    this.besideBox = checkbox("Beside it, its rectified flow", s.beside, (on) => { s.beside = on; this.#open(); });
    this.method = choice("Solver", [], s.method, (v) => { s.method = v; this.#solver(); this.#trace(true); });
    this.steps = slider("Steps", { min: 1, max: 40, value: s.steps, text: (v) => this.#nfeText(v) }, (v) => { s.steps = v; this.#trace(true); });
    this.tolerance = slider("Tolerance", { min: -6, max: -1, step: 0.5, value: Math.log10(s.rtol), text: (v) => (10 ** v).toExponential(0) }, (v) => { s.rtol = Number((10 ** v).toPrecision(2)); this.#trace(true); });
    this.seed = seedField(s.seed, (v) => { s.seed = v; this.#trace(false); });
    this.showing = toggles("Shown", [["points", "Points"], ["field", "Field"], ["density", "Data"]], this.shown, () => this.#draw());
    this.clearPaths = h("button", { type: "button", onclick: () => { this.dropped = []; this.#paths(); } }, "Remove paths");
    this.facts = h("p", { class: "quiet", role: "status" });
    this.command = commandLine("The same samples in a shell:");
    this.chart = new Chart({ label: "Distance to the data by the number of evaluations", x: "evaluations of the network, for each sample", y: "Distance to the data (sliced W2)", logX: true, logY: true });
    this.qualityNote = h("p", { class: "quiet" });
    this.thorough = commandLine("The same by more samples, in a shell:");
    this.qualityBox = h("section", { class: "wide" }, h("h2", {}, "How many evaluations are enough?"), this.qualityNote, this.chart.element, this.thorough);
    this.body = [
      h("div", { class: "stage" }, this.frame, this.time, this.facts),
      h("div", { class: "panel" }, this.model, this.besideBox, this.method, this.steps, this.tolerance, this.seed, this.showing, this.clearPaths),
      this.command, this.qualityBox,
    ];
    this.element = h("section", { class: "view" }, this.lede, this.notice);
    // Measured when it comes into sight, and not before the points have arrived.
    new IntersectionObserver((seen) => { this.inSight = seen[0].isIntersecting; this.#measure(); }).observe(this.qualityBox);
  }

  #nfeText(steps) {
    const m = this.known?.methods.find((m) => m.name === this.settings.method);
    return m?.stages ? `${steps} · ${steps * m.stages} evaluations` : String(steps);
  }

  #solver() {
    const adaptive = this.known.methods.find((m) => m.name === this.settings.method)?.adaptive;
    this.steps.hidden = adaptive || this.models?.[0]?.one_step;
    this.method.hidden = this.models?.[0]?.one_step;
    this.tolerance.hidden = !adaptive || this.models?.[0]?.one_step;
    this.steps.set(this.settings.steps);
  }

  enter(known, query) {
    if (query?.get("model")) this.settings.model = query.get("model");
    this.update(known, true);
  }

  leave() {
    for (const r of Object.values(this.requests)) r.stop();
    this.time.pause();
  }

  update(known, fresh) {
    this.known = known;
    const all = known.models.filter((m) => m.kind === "points" && !m.problem && m.family !== "pretrained-reflow");
    if (all.length === 0) {
      this.lede.say("Nothing flows yet", "A model of points carries noise along a velocity field to a set.");
      this.element.replaceChildren(this.lede, h("div", { class: "empty wide" }, h("h2", {}, "There is no model of points in ", known.output),
        h("p", {}, "Draw a set of your own under ", h("a", { href: "#draw" }, "Draw"), ", or train on one: ", h("code", {}, "bin/train --dataset moons"), ". It shows up here by itself.")));
      this.models = null;
      return;
    }
    const s = this.settings;
    const before = this.models?.map((m) => m.id + m.updated).join();
    if (!all.some((m) => m.id === s.model)) s.model = (all.find((m) => m.partner) || all.find((m) => !m.aside) || all[0]).id;
    this.model.fill(all.map((m) => modelOption(m, `${m.set}, ${m.family === "pretrained" ? "in the program" : familyNames[m.family] || m.family}`)), s.model);
    this.method.fill(solverOptions(known.methods), s.method);
    if (!this.body[0].isConnected) this.element.replaceChildren(this.lede, this.notice, ...this.body);
    const now = this.#chosen().map((m) => m.id + m.updated).join();
    if (fresh || before !== now) this.#open(before === now);
  }

  #chosen() {
    const first = this.known.models.find((m) => m.id === this.settings.model);
    const partner = first.partner && this.known.models.find((m) => m.id === first.partner);
    this.besideBox.hidden = !partner;
    return partner && this.settings.beside ? [first, partner] : [first];
  }

  // open shows the models that are chosen.
  async #open(again = false) {
    this.models = this.#chosen();
    const [first, second] = this.models;
    this.lede.say(second ? `Two ways from noise to ${first.set}` : `From noise to ${first.set}`,
      second
        ? "Each dot is carried by the arrows from noise to the data. On the left the arrows turn on the way; on the right the flow was rectified, so its dots go nearly straight, and few steps are enough."
        : "Each dot starts as noise and is carried by the arrows, a velocity field that a small network has learnt, until the dots lie as the data does. Click anywhere to follow a point of your own.");
    this.#solver();
    const names = this.models.map((m) => familyNames[m.family] || m.family);
    if (!again || this.planes.length !== this.models.length) {
      this.planes = this.models.map((m, i) => new Plane({
        title: names[i][0].toUpperCase() + names[i].slice(1), color: i ? "b" : "a",
        label: `Points of ${m.set}, ${names[i]}. Enter drops a point at the cross, shift with arrows moves it.`,
        dropped: (at) => this.#drop(at),
      }));
      for (const p of this.planes) { p.show = this.shown; p.t = this.time.t(); }
      this.frame.replaceChildren(...this.planes.map((p) => p.figure));
      this.frame.className = `planes ${second ? "two" : "one"}`;
      this.element.classList.toggle("single", !second);
    }
    this.quality = null;
    this.chart.set([]);
    this.chart.element.hidden = true;
    this.thorough.show("");
    this.requests.quality.stop();
    const failed = (e) => this.notice.say(e, () => this.#open());
    this.notice.say("");
    this.#trace(again);
    const target = await this.requests.target.ask("target", { model: first.id }, failed);
    if (!target) return;
    target.density = floats(target.density);
    for (const p of this.planes) p.setView(target);
    this.#draw();
    this.#field();
    if (!this.welcomed && !calm()) this.time.play();
    this.welcomed = true;
  }

  #remember() {
    const s = this.settings;
    this.remember({ model: s.model, method: s.method, steps: s.steps, seed: s.seed, ...(s.beside ? {} : { beside: "no" }) });
  }

  #ask() {
    const { method, steps, rtol } = this.settings;
    return { method, steps, rtol };
  }

  // trace has the points solved. same: they start from the same noise in the same models.
  async #trace(same) {
    this.#remember();
    this.#mark();
    this.dropped = this.dropped.map(({ x, y, t }) => ({ x, y, t }));
    this.#solve();
    const planes = this.planes;
    this.notice.say("");
    const done = await this.requests.trace.stream("trace", { models: this.models.map((m) => m.id), seed: this.settings.seed, count: points, ...this.#ask() }, {
      start: ({ times, commands }) => {
        for (const p of planes) p.begin(times, points, same);
        this.command.show(commands.join("\n"));
      },
      frame: ({ model, frame, first, x }) => {
        planes[model].add(frame, first, floats(x));
        this.#later();
      },
      done: ({ nfe, took: ms }) => {
        for (const [i, p] of planes.entries()) { p.old = null; p.note.textContent = `${nfe[i]} evaluations`; }
        this.facts.textContent = `${count(points * planes.length)} points solved in ${took(ms)}.`;
        this.element.dataset.traced = String(Number(this.element.dataset.traced || 0) + 1);
        this.#draw();
      },
    }, (e) => this.notice.say(e, () => this.#trace(true)));
    if (done) this.#measure();
  }

  #field() {
    const planes = this.planes;
    this.requests.field.stream("field", { models: this.models.map((m) => m.id), t: this.time.t() }, {
      start: ({ side, times }) => { for (const p of planes) p.field = { side, times, values: times.map(() => null), greatest: 0 }; },
      field: ({ model, index, v }) => { planes[model].setField(index, floats(v)); this.#later(); },
      done: () => {
        this.element.dataset.fields = String(Number(this.element.dataset.fields || 0) + 1);
        this.#draw();
      },
    }, (e) => this.notice.say(e, () => this.#field()));
  }

  #drop({ x, y }) {
    this.dropped = [...this.dropped.slice(1 - mostDropped), { x, y, t: this.time.t() }];
    this.#solve();
  }

  // solve has the paths solved that are not known yet.
  async #solve() {
    const without = this.dropped.filter((d) => !d.paths);
    if (without.length === 0) return this.requests.paths.stop();
    const got = await this.requests.paths.ask("paths", { models: this.models.map((m) => m.id), points: without.map(({ x, y, t }) => ({ x, y, t })), ...this.#ask() }, (e) => this.notice.say(e, () => this.#solve()));
    if (!got) return;
    got.paths.forEach((ways, i) => { without[i].paths = ways.map((p) => ({ times: p.times, x: floats(p.x) })); });
    this.#paths();
  }

  #paths() {
    for (const [i, p] of this.planes.entries()) p.paths = this.dropped.filter((d) => d.paths?.[i]).map((d) => d.paths[i]);
    this.element.dataset.paths = String(this.planes[0]?.paths.length ?? 0);
    this.#draw();
  }

  // measure has the quality curve, once for each choice of models.
  async #measure() {
    if (!this.inSight || this.quality || this.requests.trace.busy || !this.models) return;
    const quality = (this.quality = { points: [], floor: null });
    this.qualityNote.textContent = "Measuring, while nothing else is asked for …";
    const done = await this.requests.quality.stream("quality", { models: this.models.map((m) => m.id), seed: this.settings.seed }, {
      start: ({ floor, samples, command }) => {
        quality.floor = floor;
        quality.note = `Each dot is the distance of ${count(samples)} samples; as many fresh data come about as near as the dotted line.`;
        this.thorough.show(command);
      },
      point: (p) => { quality.points.push(p); this.#mark(); },
    }, (e) => {
      quality.failed = true;
      this.qualityNote.replaceChildren(e, again(() => { this.quality = null; this.#measure(); }));
    });
    if (done) this.qualityNote.textContent = quality.note;
    else if (!quality.failed && this.quality === quality) this.quality = null;
  }

  // mark draws the quality curve, with a line where the chosen solver is.
  #mark() {
    const q = this.quality;
    if (!q || q.points.length === 0) return;
    const series = [];
    this.chart.element.hidden = false;
    for (const [i, m] of this.models.entries()) {
      for (const method of ["euler", "midpoint"]) {
        const own = q.points.filter((p) => p.model === i && p.method === method && p.sw2 > 0).sort((a, b) => a.nfe - b.nfe);
        if (own.length) series.push({ name: `${familyNames[m.family] || m.family}, ${method}`, color: i ? "b" : "a", dash: method === "midpoint", dots: true, x: own.map((p) => p.nfe), y: own.map((p) => p.sw2) });
      }
    }
    const stages = this.known.methods.find((m) => m.name === this.settings.method)?.stages;
    this.chart.set(series, { floor: q.floor, floorName: "fresh data", here: stages ? stages * this.settings.steps : null, width: [0.9, 36] });
  }

  #move(t) {
    for (const p of this.planes) { p.t = t; p.draw(); }
  }

  // later draws once, however much has come until then.
  #later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.#draw(); });
  }

  #draw() {
    this.clearPaths.hidden = this.dropped.length === 0;
    for (const p of this.planes) { p.t = this.time.t(); p.draw(); }
  }

  redraw() { this.#draw(); }
  key(e) {
    if (e.key === "Escape" && this.dropped.length) { this.dropped = []; this.#paths(); return; }
    this.time.key(e);
  }
}

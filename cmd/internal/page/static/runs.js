// Runs: what is in the output folder, one run or two beside each other.
import { h, lede, notice, commandLine, slider, count } from "./dom.js";
import { Latest } from "./net.js";
import { Chart } from "./chart.js";

const familyNames = { cfm: "flow matching", reflow: "rectified", distill: "distilled" };
const mostParts = 900;

// Losses of a run as they come, in parts; old ones are merged where they get too many.
class Losses {
  constructor() { this.clear(); }
  clear() { Object.assign(this, { step: [], low: [], mean: [], high: [], rate: 0 }); }

  add(more) {
    if (more.reset) this.clear();
    for (const k of ["step", "low", "mean", "high"]) this[k].push(...more[k]);
    this.rate = more.rate || 0;
    if (this.step.length > 2 * mostParts) {
      const old = { step: this.step, low: this.low, mean: this.mean, high: this.high };
      const rate = this.rate;
      this.clear();
      this.rate = rate;
      for (let i = 0; i < old.step.length; i += 2) {
        const j = Math.min(i + 1, old.step.length - 1);
        this.step.push(old.step[j]);
        this.low.push(Math.min(old.low[i], old.low[j]));
        this.mean.push((old.mean[i] + old.mean[j]) / 2);
        this.high.push(Math.max(old.high[i], old.high[j]));
      }
    }
  }

  // smooth is a running mean that a reader can follow. It looks as far ahead as back, and not
  // far at the beginning, so that it does not lag behind a loss that falls fast.
  smooth() {
    const sums = [0], n = this.mean.length, reach = Math.max(2, n >> 6);
    for (const v of this.mean) sums.push(sums.at(-1) + v);
    return this.mean.map((_, i) => {
      const h = Math.min(reach, i), from = i - h, to = Math.min(n, i + h + 1);
      return (sums[to] - sums[from]) / (to - from);
    });
  }
}

function ago(ms) {
  const s = Math.max(0, (Date.now() - ms) / 1000);
  if (s < 90) return "just now";
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  if (s < 129600) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} days ago`;
}

export class Runs {
  constructor({ settings, remember }) {
    this.remember = remember;
    this.chosen = (settings.get("run") || "").split(",").filter(Boolean).slice(0, 2);
    this.watching = new Map(); // by run: {request, losses}
    this.lede = lede("Your runs", "Every training in the output folder: its loss as it falls, and what it could draw on the way. Choose one run, or two to compare.");
    this.notice = notice();
    this.list = h("div", { class: "runs", role: "group", "aria-label": "Runs" });
    // Those that a fresh run has moved out of its way are folded away.
    this.asideList = h("div", { class: "runs", role: "group", "aria-label": "Runs set aside" });
    this.asideHead = h("summary");
    this.aside = h("details", { class: "aside" }, this.asideHead, this.asideList);
    this.facts = h("div", { class: "facts", role: "status" });
    this.chart = new Chart({ label: "Loss by step", x: "steps", y: "Loss", height: 300, logY: true });
    this.pictures = h("div", { class: "shots" });
    this.snapshot = slider("What it had learnt", { min: 0, max: 1, step: 0.001, value: 1, text: () => "" }, () => this.#snapshots());
    this.command = commandLine("Samples of it in a shell:");
    this.body = [h("div", { class: "stage" }, this.facts, this.chart.element, this.snapshot, this.pictures), h("div", { class: "panel" }, h("div", { class: "chosen" }, h("h2", {}, "Runs"), this.list, this.aside)), this.command];
    this.element = h("section", { class: "view choosing" }, this.lede, this.notice);
  }

  enter(known) { this.update(known, true); }

  // A tab that is not looked at follows no run.
  rest() { this.leave(); }
  wake() { if (this.known?.runs.length) this.#choose(); }

  leave() {
    for (const w of this.watching.values()) w.request.stop();
    this.watching.clear();
  }

  update(known, fresh) {
    this.known = known;
    if (known.runs.length === 0) {
      const first = commandLine("Begin one in a shell; this one takes seconds. It shows up here by itself, as it goes:");
      first.show(known.train);
      this.element.replaceChildren(this.lede, h("div", { class: "empty wide" }, h("h2", {}, `No run yet in the folder ${known.output}`), first,
        h("p", {}, "Or ", h("a", { href: "#draw" }, "draw a set"), " and train on it here: that needs no run.")));
      return;
    }
    if (!this.body[0].isConnected) this.element.replaceChildren(this.lede, this.notice, ...this.body);
    this.chosen = this.chosen.filter((id) => known.runs.some((r) => r.id === id));
    const first = (test) => known.runs.find((r) => !r.aside && test(r));
    if (this.chosen.length === 0) this.chosen = [(first((r) => r.losses) || first(() => true) || known.runs[0]).id];
    if (this.chosen.some((id) => this.#run(id).aside)) this.aside.open = true;
    if (fresh) this.leave();
    this.#choose();
  }

  #run(id) { return this.known.runs.find((r) => r.id === id); }
  #color(id) { return this.chosen.indexOf(id) === 1 ? "b" : "a"; }

  #pick(id) {
    if (this.chosen.includes(id)) {
      if (this.chosen.length > 1) this.chosen = this.chosen.filter((o) => o !== id);
    } else this.chosen = [...this.chosen.slice(-1), id];
    this.#choose();
  }

  #choose() {
    this.remember({ run: this.chosen.join(",") });
    const focused = document.activeElement?.dataset.run, runs = this.known.runs, aside = runs.filter((r) => r.aside);
    this.list.replaceChildren(...runs.filter((r) => !r.aside).map((r) => this.#button(r)));
    this.asideList.replaceChildren(...aside.map((r) => this.#button(r)));
    this.asideHead.textContent = `Set aside (${aside.length})`;
    this.aside.hidden = aside.length === 0;
    if (focused) [...this.list.children, ...this.asideList.children].find((b) => b.dataset.run === focused)?.focus();
    for (const [id, w] of this.watching) {
      if (!this.chosen.includes(id)) { w.request.stop(); this.watching.delete(id); }
    }
    for (const id of this.chosen) if (!this.watching.has(id) && this.#run(id).losses) this.#watch(id);
    this.command.show(this.#run(this.chosen[0]).command || "");
    this.#chart();
    this.#gallery();
  }

  #button(r) {
    return h("button", { type: "button", "data-run": r.id, "aria-pressed": String(this.chosen.includes(r.id)), onclick: () => this.#pick(r.id) },
      h("span", { class: `dot ${this.#color(r.id)}` }), h("span", {}, r.set), h("span", { class: r.live ? "live" : "when" }, r.live ? "training" : ago(r.updated)),
      h("span", { class: "what" }, familyNames[r.family] + this.#steps(r)), r.problem ? h("span", { class: "wrong" }, "its weights cannot be shown") : "");
  }

  #steps(r) {
    const m = this.known.models.find((m) => m.id === r.id);
    return m?.step ? `, ${count(m.step)} steps` : "";
  }

  #watch(id) {
    const w = { request: new Latest(), losses: new Losses() };
    this.watching.set(id, w);
    w.request.stream("watch", { run: id }, {
      losses: (more) => { w.losses.add(more); this.#chart(); },
    }, (e) => this.notice.say(e, () => { this.watching.delete(id); this.#choose(); }));
  }

  #chart() {
    const series = [], facts = [];
    for (const id of this.chosen) {
      const l = this.watching.get(id)?.losses;
      if (!l?.step.length) continue;
      const color = this.#color(id), smooth = l.smooth();
      series.push({ name: id, color, x: l.step, y: smooth, low: l.low, high: l.high });
      facts.push(h("span", {}, h("b", {}, id), ` step ${count(l.step[l.step.length - 1])}, loss ${smooth[smooth.length - 1].toPrecision(3)}`,
        l.rate && this.#run(id).live ? `, ${l.rate >= 10 ? count(Math.round(l.rate)) : l.rate.toFixed(1)} steps a second` : ""));
    }
    for (const id of this.chosen) {
      const { problem } = this.#run(id);
      if (problem) facts.push(h("span", { class: "wrong" }, h("b", {}, id), ` ${problem}`));
    }
    this.facts.replaceChildren(...facts);
    this.chart.element.hidden = series.length === 0;
    this.chart.set(series);
  }

  // gallery shows snapshots on the way, where the runs have any, and else what they drew at
  // the end.
  #gallery() {
    const runs = this.chosen.map((id) => this.#run(id)), steps = runs.flatMap((r) => (r.progress || []).map((p) => p.step));
    this.snapshot.hidden = steps.length === 0;
    this.most = Math.max(0, ...steps);
    const figures = [];
    this.shots = [];
    for (const r of runs) {
      if (r.progress?.length) {
        const img = h("img", { alt: "" }), caption = h("figcaption");
        this.shots.push({ run: r, img, caption });
        figures.push(h("figure", {}, img, caption));
      }
    }
    for (const r of runs) {
      for (const name of r.pictures || []) {
        figures.push(h("figure", {}, h("img", { src: this.#address(r, name), alt: `${name} of ${r.family}/${r.set}`, loading: "lazy" }), h("figcaption", {}, runs.length > 1 ? `${r.family}/${r.set}: ${name}` : name)));
      }
    }
    this.pictures.replaceChildren(...figures);
    this.#snapshots();
  }

  #address(r, file) { return `/api/file/${[...r.id.split("/"), ...file.split("/")].map(encodeURIComponent).join("/")}?${r.changed}`; }

  #snapshots() {
    const at = Number(this.snapshot.querySelector("input").value) * this.most;
    this.snapshot.querySelector("output").textContent = `step ${count(Math.round(at))}`;
    for (const { run, img, caption } of this.shots || []) {
      let shot = run.progress[0];
      for (const p of run.progress) if (p.step <= at + 0.5) shot = p;
      const address = this.#address(run, shot.file);
      if (img.getAttribute("src") !== address) img.src = address;
      img.alt = `Samples of ${run.family}/${run.set} after step ${shot.step}`;
      caption.textContent = `${run.family}/${run.set}, after step ${count(shot.step)}`;
    }
  }

  redraw() { this.chart.draw(); }
}

// Digits: pictures by class, as they come out of noise.
import { h, choice, slider, seedField, commandLine, timeBar, lede, notice, modelOption, calm, took } from "./dom.js";
import { Latest, bytes } from "./net.js";
import { solverOptions } from "./flow.js";

const rowLength = 10;

// Picture is shown on canvases of its own size, enlarged by the style sheet.
class Picture {
  constructor(...canvases) { this.canvases = canvases; this.frames = []; }

  begin(shape, times) {
    Object.assign(this, { shape, times, frames: times.map(() => null) });
    for (const c of this.canvases) [, c.height, c.width] = shape;
  }

  draw(t) {
    if (!this.shape) return;
    const { times, frames } = this, [channels, height, width] = this.shape;
    let i = 0;
    while (i + 1 < times.length && times[i + 1] <= t + 1e-9) i++;
    while (i > 0 && !frames[i]) i--;
    if (!frames[i]) return;
    const a = frames[i], next = frames[i + 1], s = next ? Math.max(0, Math.min(1, (t - times[i]) / (times[i + 1] - times[i]))) : 0;
    const image = new ImageData(width, height), size = width * height;
    for (let p = 0; p < size; p++) {
      for (let c = 0; c < 3; c++) {
        const k = channels === 3 ? c * size + p : p;
        image.data[4 * p + c] = next ? a[k] + s * (next[k] - a[k]) : a[k];
      }
      image.data[4 * p + 3] = 255;
    }
    for (const c of this.canvases) c.getContext("2d").putImageData(image, 0, 0);
  }
}

export class Digits {
  constructor({ settings, remember }) {
    this.remember = remember;
    this.settings = {
      model: settings.get("model") || "", class: Number(settings.get("class") ?? 5), seed: Number(settings.get("seed") ?? 42),
      method: settings.get("method") || "midpoint", steps: Number(settings.get("steps")) || 10, guidance: Number(settings.get("guidance") ?? 1), rtol: 1e-3,
    };
    this.request = new Latest();
    this.#build();
  }

  #build() {
    const s = this.settings;
    this.lede = lede("", "");
    this.notice = notice();
    this.big = h("canvas", { class: "picture", role: "img", width: 8, height: 8 });
    this.time = timeBar((t) => this.#draw(t), { ends: ["noise", "picture"], seconds: 2.2 });
    this.seedRow = h("div", { class: "thumbs" });
    this.classRow = h("div", { class: "thumbs" });
    this.seedHead = h("h2");
    this.classHead = h("h2");
    this.model = choice("Model", [], "", (v) => { s.model = v; this.#open(); });
    this.klass = choice("Class", [], "", (v) => { s.class = Number(v); this.#sample(); });
    this.method = choice("Solver", [], s.method, (v) => { s.method = v; this.#solver(); this.#sample(); });
    this.steps = slider("Steps", { min: 1, max: 40, value: s.steps, text: (v) => this.#nfeText(v) }, (v) => { s.steps = v; this.#sample(); });
    this.guidance = slider("Guidance", { min: 0, max: 5, step: 0.25, value: s.guidance, text: (v) => (v === 1 ? "1 · off" : String(v)) }, (v) => { s.guidance = v; this.#sample(); });
    this.guidanceNote = h("p", { class: "quiet" }, "This model cannot be guided. One that was trained with --class-dropout 0.1 can be.");
    this.seed = seedField(s.seed, (v) => { s.seed = v; this.rowFrom = v; this.#sample(); });
    this.png = h("a", { class: "button", download: "" }, "Save PNG");
    this.npz = h("a", { class: "button", download: "" }, "Save npz");
    this.saving = h("div", { class: "row" }, this.png, this.npz);
    this.saving.hidden = true;
    this.facts = h("p", { class: "quiet", role: "status" });
    this.command = commandLine("The large picture in a shell:");
    this.body = [
      h("div", { class: "stage" },
        h("div", { class: "looked" }, h("div", { class: "focus" }, this.big, this.time, this.facts),
          h("div", { class: "rows" }, (this.classBox = h("div", {}, this.classHead, this.classRow)), h("div", {}, this.seedHead, this.seedRow)))),
      h("div", { class: "panel" }, this.model, this.klass, this.method, this.steps, h("div", {}, this.guidance, this.guidanceNote), this.seed, this.saving),
      this.command,
    ];
    this.element = h("section", { class: "view" }, this.lede, this.notice);
    this.rowFrom = s.seed;
  }

  #nfeText(steps) {
    const stages = this.known?.methods.find((m) => m.name === this.settings.method)?.stages;
    return stages ? `${steps} · ${steps * stages} evaluations` : String(steps);
  }

  #solver() {
    const adaptive = this.known.methods.find((m) => m.name === this.settings.method)?.adaptive;
    this.steps.hidden = adaptive || this.at?.one_step;
    this.method.hidden = !!this.at?.one_step;
    this.steps.set(this.settings.steps);
  }

  enter(known) { this.update(known, true); }

  leave() {
    this.request.stop();
    this.time.pause();
  }

  update(known, fresh) {
    this.known = known;
    const s = this.settings, all = known.models.filter((m) => m.kind === "images" && !m.problem);
    if (all.length === 0) {
      this.lede.say("No pictures yet", "A model of pictures turns noise into a picture of the class that is asked for.");
      this.element.replaceChildren(this.lede, h("div", { class: "empty wide" }, h("h2", {}, "There is no model of pictures in ", known.output),
        h("p", {}, "The digits are part of the program, and their training takes two minutes: ", h("code", {}, "bin/train --dataset digits"), ". It shows up here by itself.")));
      this.at = null;
      return;
    }
    const before = this.at && this.at.id + this.at.updated;
    if (!all.some((m) => m.id === s.model)) s.model = (all.find((m) => m.set === "digits") || all.find((m) => !m.aside) || all[0]).id;
    this.model.fill(all.map((m) => modelOption(m, m.family === "cfm" ? m.set : `${m.set}, ${m.family}`.replace(", pretrained", ", in the program"))), s.model);
    this.method.fill(solverOptions(known.methods), s.method);
    if (!this.body[0].isConnected) this.element.replaceChildren(this.lede, this.notice, ...this.body);
    const now = all.find((m) => m.id === s.model);
    if (fresh || before !== now.id + now.updated) this.#open();
  }

  #open() {
    const s = this.settings, m = (this.at = this.known.models.find((m) => m.id === s.model)), classes = m.classes || 0;
    const name = (c) => m.class_names?.[c] ?? String(c);
    this.name = name;
    s.class = Math.min(s.class, Math.max(0, classes - 1));
    this.klass.hidden = this.classBox.hidden = classes === 0;
    this.klass.fill(Array.from({ length: classes }, (_, c) => [String(c), name(c)]), String(s.class));
    this.guidanceNote.hidden = !!m.null;
    this.guidance.enable(!!m.null);
    if (!m.null) { s.guidance = 1; this.guidance.set(1); }
    this.lede.say(classes ? "The same noise becomes whatever is asked for" : `From noise to ${m.set}`,
      classes
        ? "A network moves every pixel, step by step, from noise to a picture of the class. One row keeps the noise and changes the class; the other keeps the class and changes the noise."
        : "A network moves every pixel, step by step, from noise to a picture.");
    this.#solver();
    this.#sample(true);
  }

  // rows are which seeds and classes stand beside the large picture.
  #rows() {
    const s = this.settings, classes = this.at.classes || 0;
    if (s.seed < this.rowFrom || s.seed >= this.rowFrom + rowLength) this.rowFrom = s.seed;
    const first = Math.max(0, Math.min(classes - rowLength, s.class - Math.floor(rowLength / 2)));
    return {
      seeds: Array.from({ length: rowLength }, (_, i) => this.rowFrom + i),
      classes: Array.from({ length: Math.min(rowLength, classes) }, (_, i) => (classes > rowLength ? first : 0) + i),
    };
  }

  // thumbs makes a row of buttons, and gives their canvases. Buttons that are there stay, and
  // so does the keyboard on one of them.
  #thumbs(row, values, chosen, text, label, pick) {
    while (row.children.length > values.length) row.lastChild.remove();
    while (row.children.length < values.length) row.append(h("button", { type: "button" }, h("canvas", { width: 8, height: 8 }), h("span")));
    return values.map((v, i) => {
      const button = row.children[i];
      button.setAttribute("aria-pressed", String(v === chosen));
      button.setAttribute("aria-label", label(v));
      button.onclick = () => pick(v);
      button.lastChild.textContent = text(v);
      return button.firstChild;
    });
  }

  async #sample(again = false) {
    const s = this.settings, { seeds, classes } = this.#rows();
    this.remember({ model: s.model, class: s.class, seed: s.seed, method: s.method, steps: s.steps, ...(s.guidance !== 1 ? { guidance: s.guidance } : {}) });
    this.klass.querySelector("select").value = String(s.class);
    this.seed.set(s.seed);
    this.notice.say("");
    this.saving.hidden = true;
    this.big.setAttribute("aria-label", this.at.classes ? `The sample of class ${this.name(s.class)}, seed ${s.seed}` : `The sample of seed ${s.seed}`);
    this.seedHead.textContent = this.at.classes ? `The class ${this.name(s.class)} from ten seeds` : "Ten seeds";
    this.classHead.textContent = `The noise of seed ${s.seed} as each class`;
    const ofSeeds = this.#thumbs(this.seedRow, seeds, s.seed, String, (v) => `Seed ${v}`, (v) => { s.seed = v; this.#sample(); });
    const ofClasses = this.#thumbs(this.classRow, classes, s.class, this.name, (v) => `Class ${this.name(v)}`, (v) => { s.class = v; this.#sample(); });
    // The large picture is one of each row: it is solved once.
    const seedAt = seeds.indexOf(s.seed), classAt = classes.indexOf(s.class), others = (all, at) => all.filter((_, i) => i !== at);
    const pictures = (this.pictures = [
      new Picture(this.big, ofSeeds[seedAt], ...(classAt >= 0 ? [ofClasses[classAt]] : [])),
      ...others(ofSeeds, seedAt).map((c) => new Picture(c)), ...others(ofClasses, classAt).map((c) => new Picture(c)),
    ]);
    const moving = this.time.playing() || (again && !calm());
    await this.request.stream("pictures", { model: s.model, class: s.class, seed: s.seed, seeds: others(seeds, seedAt), classes: others(classes, classAt), guidance: s.guidance, method: s.method, steps: s.steps, rtol: s.rtol }, {
      start: ({ shape, times, command }) => {
        for (const p of pictures) p.begin(shape, times);
        this.command.show(command);
        if (moving) { this.time.set(0); this.time.play(); }
      },
      frame: ({ frame, first, x }) => {
        const all = bytes(x), [c, height, w] = pictures[0].shape, size = c * height * w;
        for (let i = 0; i * size < all.length; i++) pictures[first + i].frames[frame] = all.subarray(i * size, (i + 1) * size);
        this.#later();
      },
      done: ({ nfe, took: ms, result }) => {
        this.facts.textContent = `${pictures.length} pictures, ${nfe} evaluations each, in ${took(ms)}.`;
        this.png.href = `/api/result/${result}.png`;
        this.npz.href = `/api/result/${result}.npz`;
        this.saving.hidden = false;
        this.element.dataset.sampled = String(Number(this.element.dataset.sampled || 0) + 1);
        this.#draw(this.time.t());
      },
    }, (e) => this.notice.say(e, () => this.#sample(again)));
  }

  #later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.#draw(this.time.t()); });
  }

  #draw(t) { for (const p of this.pictures || []) p.draw(t); }
  key(e) { this.time.key(e); }
}

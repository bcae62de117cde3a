// What the views build their parts from.

// h makes an element: h("p", {class: "quiet"}, "text", child). Keys with "on" are
// listeners; true and false set or leave out an attribute.
export function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value === true) e.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export function svg(tag, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

let ids = 0;
const newId = () => `c${++ids}`;

// field is a control under its label.
function field(label, control, ...more) {
  control.id = newId();
  return h("div", {}, h("label", { for: control.id }, label), control, ...more);
}

// again is a button for what has failed.
export const again = (f) => h("button", { type: "button", class: "again", onclick: f }, "Try again");

// choice is a select. options are [value, text], with a third for those that stand together
// under a name of their own.
export function choice(label, options, value, changed) {
  const select = h("select", { onchange: () => changed(select.value) });
  const e = field(label, select);
  e.fill = (options, value) => {
    const groups = new Map();
    const items = options.map(([v, text, group]) => {
      const option = h("option", { value: v, selected: v === value }, text);
      if (!group) return option;
      const had = groups.get(group), all = had ?? h("optgroup", { label: group });
      groups.set(group, all).get(group).append(option);
      return had ? null : all;
    });
    select.replaceChildren(...items.filter(Boolean));
    select.value = value;
  };
  e.fill(options, value);
  return e;
}

// slider is a range with its value beside the label.
export function slider(label, { min, max, step = 1, value, text = String, note }, changed) {
  const out = h("output");
  const input = h("input", { type: "range", min, max, step, oninput: () => { show(); changed(Number(input.value)); } });
  const id = newId();
  input.id = id;
  input.value = value;
  const show = () => { out.textContent = text(Number(input.value)); };
  show();
  const e = h("div", {}, h("div", { class: "split" }, h("label", { for: id }, label), out), input, note ? h("p", { class: "quiet" }, note) : null);
  e.set = (v) => { input.value = v; show(); };
  e.enable = (on) => { input.disabled = !on; };
  return e;
}

// seedField is a number with a button for another one.
export function seedField(value, changed) {
  const input = h("input", { type: "number", min: 0, max: 999999999, step: 1, value, onchange: () => {
    const v = Math.max(0, Math.min(999999999, Math.round(Number(input.value) || 0)));
    input.value = v;
    changed(v);
  } });
  const another = h("button", { type: "button", onclick: () => { input.value = Math.floor(Math.random() * 10000); changed(Number(input.value)); } }, "Another");
  input.id = newId();
  const e = h("div", {}, h("label", { for: input.id }, "Seed"), h("div", { class: "row" }, input, another));
  e.set = (v) => { input.value = v; };
  return e;
}

// toggles are chips, each on or off. items are [key, text].
export function toggles(legend, items, state, changed) {
  return h("fieldset", {}, h("legend", {}, legend), h("div", { class: "row" }, items.map(([key, text]) => {
    const b = h("button", { type: "button", class: "chip", "aria-pressed": String(state[key]), onclick: () => {
      state[key] = !state[key];
      b.setAttribute("aria-pressed", String(state[key]));
      changed();
    } }, text);
    return b;
  })));
}

export function checkbox(label, value, changed) {
  const input = h("input", { type: "checkbox", onchange: () => changed(input.checked) });
  input.checked = value;
  const e = h("label", { class: "check" }, input, label);
  e.set = (v) => { input.checked = v; };
  return e;
}

// breakable may go on in another line after a slash or a comma.
const breakable = (text) => text.split(/(?<=[/,])/).flatMap((part) => [part, h("wbr")]).slice(0, -1);

// commandLine shows the shell command that gives the same.
export function commandLine(hint) {
  const code = h("div", { class: "lines" });
  let shown = "";
  const copy = h("button", { type: "button", onclick: async () => {
    const done = await copyText(shown);
    copy.textContent = done ? "Copied" : "Select it";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  } }, "Copy");
  const e = h("div", { class: "wide" }, h("p", { class: "quiet hint" }, hint), h("div", { class: "command" }, code, copy));
  e.hidden = true;
  // A command a line. It is broken before flags and not within them.
  e.show = (text) => {
    shown = text;
    e.hidden = !text;
    code.replaceChildren(...text.split("\n").map((line) => h("code", {}, line.split(/ (?=--|&&)/).flatMap((part) => [h("span", {}, breakable(part)), " "]).slice(0, -1))));
  };
  return e;
}

// copyText works without the clipboard's interface, too, which a page that is no
// secure context (http from another machine) does not have.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

const playIcon = "M5 3.5v9l7.5-4.5z";
const pauseIcon = "M4 3h3v10H4zM9 3h3v10H9z";

// timeBar is the scrubber over t. It plays by itself once it is told to; whoever asks
// for less motion sees the end at once.
export function timeBar(moved, { ends = ["noise", "data"], seconds = 3.2 } = {}) {
  let t = 1, playing = false, last = 0, looping = false, hold = 0;
  const path = svg("path", { d: playIcon });
  const button = h("button", { type: "button", class: "round", "aria-label": "Play", onclick: () => (playing ? pause() : play()) }, svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path));
  const range = h("input", { type: "range", min: 0, max: 1, step: 0.005, value: 1, "aria-label": "Time t, from noise to data", oninput: () => { pause(); set(Number(range.value)); } });
  const out = h("output");
  const e = h("div", { class: "time" }, button, range, out, h("div", { class: "ends" }, h("span", {}, `t = 0, ${ends[0]}`), h("span", {}, `t = 1, ${ends[1]}`)));

  const set = (v) => {
    t = Math.max(0, Math.min(1, v));
    range.value = t;
    range.setAttribute("aria-valuetext", `t = ${t.toFixed(2)}`);
    out.textContent = `t = ${t.toFixed(2)}`;
    moved(t);
  };
  const frame = (now) => {
    if (!playing || !e.isConnected) { playing = false; return; }
    const dt = Math.min(100, now - last) / 1000;
    last = now;
    if (t >= 1 && looping) {
      hold += dt;
      if (hold > 0.9) { hold = 0; set(0); }
    } else {
      set(t + dt / seconds);
    }
    if (t >= 1 && !looping) return pause();
    requestAnimationFrame(frame);
  };
  const show = () => {
    path.setAttribute("d", playing ? pauseIcon : playIcon);
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
  };
  const play = (loop = false) => {
    looping = loop;
    if (t >= 1) set(0);
    if (!playing) {
      playing = true;
      last = performance.now();
      requestAnimationFrame(frame);
    }
    show();
  };
  const pause = () => { playing = false; show(); };
  Object.assign(e, { set, play, pause, playing: () => playing, t: () => t });
  // Space plays and arrows step wherever no control has the keyboard.
  e.key = (event) => {
    if (event.key === " ") playing ? pause() : play();
    else if (event.key === "ArrowRight") { pause(); set(t + 0.02); }
    else if (event.key === "ArrowLeft") { pause(); set(t - 0.02); }
    else if (event.key === "Home") { pause(); set(0); }
    else if (event.key === "End") { pause(); set(1); }
    else return;
    event.preventDefault();
  };
  out.textContent = "t = 1.00";
  return e;
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// lede is what a view says of itself.
export function lede(title, text) {
  const head = h("h1", {}, title), p = h("p", {}, text);
  const e = h("div", { class: "lede" }, head, p);
  e.say = (title, text) => { head.textContent = title; p.textContent = text; };
  return e;
}

// notice is where a view says what went wrong, with a button that does it once more.
export function notice() {
  const e = h("p", { class: "notice wide", role: "alert" });
  e.hidden = true;
  e.say = (text, once) => {
    e.replaceChildren(text || "", ...(text && once ? [again(() => { e.say(""); once(); })] : []));
    e.hidden = !text;
  };
  return e;
}

// modelOption is a model where one is chosen: those of runs that were set aside stand apart.
export const modelOption = (m, text) => [m.id, text, m.aside ? "Set aside" : ""];

export const count = (n) => n.toLocaleString("en-US");
export const took = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

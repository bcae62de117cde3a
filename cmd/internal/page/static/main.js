// The frame: which view is shown, and whether the server is there.
import { h, again } from "./dom.js";
import { live, state, isAway } from "./net.js";
import { Flow } from "./flow.js";
import { Draw } from "./draw.js";
import { Digits } from "./digits.js";
import { Runs } from "./runs.js";

const views = { flow: Flow, draw: Draw, digits: Digits, runs: Runs };
const made = {};
const main = document.getElementById("main"), status = document.getElementById("status");
let known = null, current = null, boot = null, asked = 0, anew = false;

// The address has the view and its settings: #flow?model=cfm/moons&steps=4.
function address() {
  const [name, query] = location.hash.slice(1).split("?");
  return [views[name] ? name : "flow", new URLSearchParams(query)];
}

function say(text, bad = false, once = null) {
  status.replaceChildren(text, ...(once ? [again(once)] : []));
  status.classList.toggle("bad", bad);
}

// fails says what is wrong: beside the view, or in its place where there is none yet.
function fails(title, text, once) {
  if (current) say(`${title}: ${text}`, true, once);
  else main.replaceChildren(h("div", { class: "empty", role: "alert" }, h("h2", {}, title), h("p", {}, text), again(once)));
}

function show() {
  if (!known) return;
  const [name, query] = address();
  for (const a of document.querySelectorAll("nav a")) {
    if (a.getAttribute("href") === `#${name}`) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · flowmatch`;
  const view = (made[name] ??= new views[name]({
    settings: query,
    refresh: () => refresh(false),
    remember: (settings) => {
      if (address()[0] === name) history.replaceState(null, "", `#${name}?${new URLSearchParams(settings)}`);
    },
  }));
  if (current !== view) {
    current?.leave?.();
    current = view;
    main.replaceChildren(view.element);
    view.enter(known, query);
  }
}

// refresh asks what there is. Of several answers on their way the newest request's counts.
async function refresh(after) {
  const turn = ++asked;
  anew ||= after;
  let now;
  try {
    now = await state();
  } catch (e) {
    if (turn === asked) isAway(e) ? away() : fails("The page cannot be brought up to date", e.message, () => refresh(false));
    return;
  }
  if (turn !== asked) return;
  const restarted = anew;
  anew = false;
  known = now;
  say(known.problem || "", !!known.problem);
  if (current && restarted) {
    for (const name of Object.keys(made)) if (made[name] !== current) delete made[name];
  }
  if (!current) show();
  else current.update?.(known, restarted);
}

function away() {
  fails("bin/ui does not answer", current ? "the page goes on when it is back" : "Is it still running? The page comes by itself when it is back.", () => listen());
}

const listen = live({
  here: (name) => {
    const restarted = boot !== null && boot !== name;
    const back = status.classList.contains("bad");
    boot = name;
    refresh(restarted || back);
  },
  changed: () => refresh(false),
  away,
});

document.addEventListener("visibilitychange", () => (document.hidden ? current?.rest?.() : current?.wake?.()));

addEventListener("hashchange", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => current?.redraw?.());
addEventListener("keydown", (e) => {
  const typing = e.target.closest("input, select, button, textarea, a, summary");
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  current?.key?.(e);
});

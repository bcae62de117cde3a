// The frame: which view is shown, and whether the server is there.
import { h } from "./dom.js";
import { live, state, isAway } from "./net.js";
import { Flow } from "./flow.js";
import { Draw } from "./draw.js";
import { Digits } from "./digits.js";
import { Runs } from "./runs.js";

const views = { flow: Flow, draw: Draw, digits: Digits, runs: Runs };
const made = {};
const main = document.getElementById("main"), status = document.getElementById("status");
let known = null, current = null, boot = null;

// The address has the view and its settings: #flow?model=cfm/moons&steps=4.
function address() {
  const [name, query] = location.hash.slice(1).split("?");
  return [views[name] ? name : "flow", new URLSearchParams(query)];
}

function say(text, bad = false) {
  status.textContent = text;
  status.classList.toggle("bad", bad);
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

async function refresh(restarted) {
  try {
    known = await state();
  } catch (e) {
    if (!isAway(e)) main.replaceChildren(h("div", { class: "empty" }, h("h2", {}, "The page cannot be shown"), e.message));
    return;
  }
  say(known.problem || "", !!known.problem);
  if (current && restarted) {
    for (const name of Object.keys(made)) if (made[name] !== current) delete made[name];
  }
  if (!current) show();
  else current.update?.(known, restarted);
}

live({
  here: (name) => {
    const restarted = boot !== null && boot !== name;
    const back = status.classList.contains("bad");
    boot = name;
    if (!known || restarted || back) refresh(restarted || back);
  },
  changed: () => refresh(false),
  away: () => say("bin/ui does not answer; the page goes on when it is back", true),
});

addEventListener("hashchange", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => current?.redraw?.());
addEventListener("keydown", (e) => {
  const typing = e.target.closest("input, select, button, textarea, a, summary");
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  current?.key?.(e);
});

// What the page asks of its server.

// Each open page has a name: its requests take the place of its own older ones alone.
const page = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");

async function send(path, body, signal) {
  const answer = await fetch(`/api/${path}`, {
    method: "POST", signal, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-Flowmatch-Page": page },
  });
  if (!answer.ok) throw new Error(await problem(answer));
  return answer;
}

async function problem(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `the server answers ${answer.status}`;
  }
}

// ask resolves to undefined where a newer request has taken its place.
export async function ask(path, body, signal) {
  const answer = await send(path, body, signal);
  return answer.status === 204 ? undefined : answer.json();
}

export async function state() {
  const answer = await fetch("/api/state");
  if (!answer.ok) throw new Error(await problem(answer));
  return answer.json();
}

// busy is what a stream resolves to where another page's goes on: it is to be asked for again.
const busy = Symbol("busy");

// stream asks for events and hands each to the function of its name. It resolves to true
// after the last one, to false where a newer request has taken its place.
async function stream(path, body, on, signal) {
  const answer = await send(path, body, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", ended = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const e of events) {
      const [first, second] = e.split("\n");
      const name = first.slice("event: ".length), data = JSON.parse(second.slice("data: ".length));
      if (signal.aborted) return false;
      if (name === "failure") throw new Error(data.error);
      if (name === "superseded") return false;
      if (name === "busy") return busy;
      if (name === "done") ended = true;
      on[name]?.(data);
    }
  }
  if (!ended && !signal.aborted) throw new Gone();
  return ended;
}

// Gone is a server that has ended in the middle of an answer.
export class Gone extends Error {
  constructor() { super("the server has gone"); }
}

// isAway tells whether an error is only that the server is not there now: the page says
// so elsewhere, and asks again when it is back.
export const isAway = (e) => e instanceof Gone || e instanceof TypeError;

// Latest makes requests of which the newest alone counts.
export class Latest {
  #controller = null;

  // ask and stream resolve to undefined where a newer one came, or stop.
  async #run(f, failed) {
    this.stop();
    const own = (this.#controller = new AbortController());
    try {
      for (let again = 0; ; again++) {
        const result = await f(own.signal);
        if (own.signal.aborted) return undefined;
        if (result === busy) {
          await new Promise((wake) => setTimeout(wake, 1000));
          again = -1;
          continue;
        }
        // An older request that came to the server after this one has taken its place.
        if ((result !== undefined && result !== false) || again === 5) return result;
        await new Promise((wake) => setTimeout(wake, 50 << again));
      }
    } catch (e) {
      if (!own.signal.aborted && !isAway(e)) failed(e.message);
      return undefined;
    } finally {
      if (this.#controller === own) this.#controller = null;
    }
  }

  ask(path, body, failed) { return this.#run((signal) => ask(path, body, signal), failed); }
  stream(path, body, on, failed) { return this.#run((signal) => stream(path, body, on, signal), failed); }

  get busy() { return this.#controller !== null; }

  stop() {
    this.#controller?.abort();
    this.#controller = null;
  }
}

// live tells when the server is there, is another one than before, or has news. A tab that
// is not looked at does not listen: browsers open few connections to a server, and that
// has few places. It gives a function that asks at once.
export function live({ here, changed, away }) {
  const soon = 500, latest = 8000, rest = 10_000, longestRest = 160_000;
  let source = null, timer = 0, wait = soon, crowd = rest;
  const shut = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = () => {
    shut();
    const own = (source = new EventSource("/api/events"));
    own.addEventListener("hello", (e) => { wait = soon; here(JSON.parse(e.data).boot); });
    own.addEventListener("changed", changed);
    own.addEventListener("beat", () => { crowd = rest; });
    own.addEventListener("crowded", () => { // another page has taken the place
      shut();
      timer = setTimeout(open, crowd);
      crowd = Math.min(2 * crowd, longestRest);
    });
    own.onerror = () => {
      if (source !== own) return;
      shut();
      away();
      timer = setTimeout(open, wait);
      wait = Math.min(2 * wait, latest);
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? shut() : open()));
  if (!document.hidden) open();
  return open;
}

function bytes(text) {
  const raw = atob(text), b = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) b[i] = raw.charCodeAt(i);
  return b;
}

export const floats = (text) => new Float32Array(bytes(text).buffer);
export { bytes };

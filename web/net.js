// Everything that goes to the miner: JSON calls, streams that answer a call, and the live events.

/** An answer that is not 2xx; `message` is what the miner says of it. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const failure = async (reply) => {
  let text = "";
  try {
    text = (await reply.json()).message || "";
  } catch { /* no JSON: the status alone */ }
  return new ApiError(reply.status, text || `${reply.status} ${reply.statusText}`);
};

/** The calls of one page or of the shell; `onLogin` is called where the miner wants a token. */
export function calls(onLogin) {
  const ask = async (path, options) => {
    const reply = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
    if (reply.status === 401) onLogin();
    if (!reply.ok) throw await failure(reply);
    return reply;
  };
  // A seed has 64 bits, more than a number here holds: it stays a text.
  const json = async (reply) => {
    const text = await reply.text();
    return text ? JSON.parse(text.replace(/(?<!\\)"seed":\s*(-?\d{16,})/g, '"seed":"$1"')) : null;
  };
  const posting = (body, signal) => ({ method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body === undefined ? {} : body) });

  return {
    api: (path, { signal } = {}) => ask(path, { signal }).then(json),
    post: (path, body, { signal } = {}) => ask(path, posting(body, signal)).then(json),
    /** Posts and reads the server-sent events of the answer: onEvent(type, data). Resolves at its
     * end; aborting the signal closes the connection, which the miner takes as a cancel. */
    async stream(path, body, onEvent, signal) {
      const reply = await ask(path, posting(body, signal));
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      const feed = eventParser(onEvent);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        feed(value);
      }
    },
  };
}

/** Takes a stream's text in pieces of any size and calls onEvent(type, data) for each event. */
export function eventParser(onEvent) {
  let rest = "", type = "message", data = [];
  const line = (text) => {
    if (text === "") {
      if (data.length) onEvent(type, JSON.parse(data.join("\n")));
      type = "message";
      data = [];
    } else if (!text.startsWith(":")) {
      const at = text.indexOf(":");
      const name = at < 0 ? text : text.slice(0, at);
      const value = at < 0 ? "" : text.slice(at + 1).replace(/^ /, "");
      if (name === "event") type = value;
      else if (name === "data") data.push(value);
    }
  };
  return (piece) => {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop();
    lines.forEach(line);
  };
}

const TYPES = ["status", "request", "pull"];
const SILENT_MS = 20000; // the miner says something every 15 s
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

/** The live events: on(type, fn) → off, also for "connection" (true, false); `last` keeps the newest
 * status. Connects again by itself, for ever. */
export function liveEvents(check) {
  const listeners = new Map();
  const self = { last: {}, connected: null };
  let source = null, tries = 0, silence = 0, again = 0;

  const emit = (type, data) => {
    self.last[type] = data;
    for (const fn of [...(listeners.get(type) || [])]) fn(data);
  };
  const connection = (up) => {
    if (self.connected === up) return;
    self.connected = up;
    emit("connection", up);
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENT_MS);
    tries = 0;
    connection(true);
  };
  const close = () => {
    if (source) source.close();
    source = null;
    clearTimeout(silence);
    clearTimeout(again);
  };
  function lost() {
    close();
    connection(false);
    check();
    again = setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
  }
  function open() {
    close();
    source = new EventSource("/api/events");
    silence = setTimeout(lost, SILENT_MS);
    source.onopen = heard;
    source.onerror = lost;
    for (const type of TYPES) {
      source.addEventListener(type, (event) => {
        heard();
        emit(type, JSON.parse(event.data));
      });
    }
  }
  self.on = (type, fn) => {
    if (!listeners.has(type)) listeners.set(type, new Set());
    listeners.get(type).add(fn);
    return () => listeners.get(type).delete(fn);
  };
  self.open = open;
  self.retry = () => { tries = 0; open(); };
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  return self;
}

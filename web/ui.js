// Small builders. Every text goes in as a text node: nothing that a model, a validator or a log wrote
// is ever markup.
const SVG = "http://www.w3.org/2000/svg";

const add = (node, child) => {
  if (Array.isArray(child)) child.forEach((c) => add(node, c));
  else if (child !== null && child !== undefined && child !== false) node.append(child);
};

/** el("p", {class: "x", onclick: fn, style: {"--share": 0.5}}, "text", node, [more]). A false, null
 * or undefined attribute is left away, true is set empty; `style` goes through the object model,
 * which a strict Content-Security-Policy allows. */
export function el(tag, attrs, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else if (key === "value") node.value = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  add(node, children);
  return node;
}

// Drawn for this page on a 24 grid, strokes only.
const PATHS = {
  now: "M3 12h4l3-8 4 16 3-8h4",
  history: "M12 7v5l3.5 2M3.5 9A9 9 0 1 1 3 12.5M3 4.5V9h4.5",
  play: "M5 19l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L9 18zM14 7l3 3",
  stories: "M12 6.5C10 4.8 7 4.3 3.5 5v13c3.5-.7 6.5-.2 8.5 1.5 2-1.7 5-2.2 8.5-1.5V5C17 4.3 14 4.8 12 6.5zM12 6.5v13",
  models: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  doctor: "M6 3v6a5 5 0 0 0 10 0V3M4 3h4M14 3h4M11 14v2a5 5 0 0 0 9 2.5M20 15.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  config: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 7l5-1M12 12h9M12 17h6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warn: "M12 4L2.5 20h19zM12 10v4.5M12 17.4v.1",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.1",
  fail: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9 9l6 6M15 9l-6 6",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  arrow: "M5 12h14M13 6l6 6-6 6",
  chevron: "M9 6l6 6-6 6",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  reload: "M20 11a8 8 0 1 0-1 5M20 5v6h-6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  stop: "M7 7h10v10H7z",
  key: "M8 18a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 11l8-7M16 6.5l2.5 2.5",
  exit: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
};

/** An icon beside a text; hidden from screen readers, which read the text. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  path.setAttribute("d", PATHS[name] || "");
  svg.append(path);
  return svg;
}

/** button("Run", {icon: "reload", kind: "primary|quiet|danger|icon", onclick, ...attrs}). With kind
 * "icon" the text is only read aloud. */
export function button(text, { icon: picture, kind, ...attrs } = {}) {
  const shown = kind === "icon" ? el("span", { class: "unseen" }, text) : el("span", null, text);
  return el("button", { type: "button", ...attrs, class: ["button", kind, attrs.class].filter(Boolean).join(" "),
    title: kind === "icon" ? text : attrs.title }, picture ? icon(picture) : null, shown);
}

export function link(text, href, attrs) {
  return el("a", { href, ...attrs }, text);
}

/** A word with a tone: good, look, bad, accent or none. */
export function badge(text, tone, attrs) {
  return el("span", { ...attrs, class: ["badge", tone].filter(Boolean).join(" ") }, text);
}

/** A dot for a state that a text beside it says too. */
export function dot(tone) {
  return el("span", { class: `dot ${tone || ""}`, "aria-hidden": "true" });
}

/** A titled part of a page: <section> with its heading, `aside` to the right of it. */
export function card(title, { aside, level = 2, id, class: more, lead } = {}, ...children) {
  const heading = el(`h${level}`, { id: id ? `${id}-title` : null }, title);
  return el("section", { class: ["card", more].filter(Boolean).join(" "), id, "aria-labelledby": id ? `${id}-title` : null },
    el("header", { class: "card-head" }, el("div", null, heading, lead ? el("p", { class: "lead" }, lead) : null),
      aside ? el("div", { class: "card-aside" }, aside) : null),
    ...children);
}

/** A labelled control. `control` is an input, select or textarea. */
let fields = 0;
export function field(label, control, { hint, hidden } = {}) {
  control.id = control.id || `field-${++fields}`;
  const note = hint ? el("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return el("div", { class: "field" }, el("label", { for: control.id, class: hidden ? "unseen" : null }, label), control, note);
}

export function input(attrs) {
  return el("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attrs });
}

/** choices: [[value, text], ...] */
export function select(choices, value, attrs) {
  const node = el("select", attrs, choices.map(([v, text]) => el("option", { value: v, selected: v === value }, text)));
  if (value !== undefined && value !== null) node.value = value;
  return node;
}

/** A box to tick with its text. */
export function tick(text, attrs) {
  return el("label", { class: "tick" }, el("input", { type: "checkbox", ...attrs }), el("span", null, text));
}

/** columns: [{title, cell(row) → node or text, class, head: true for the row's heading}]. The caption
 * is read aloud; a wide table scrolls within itself and can be reached by keyboard. */
export function table(caption, columns, rows, { rowAttrs } = {}) {
  const head = el("tr", null, columns.map((c) => el("th", { scope: "col", class: c.class }, c.title)));
  const body = rows.map((row) => el("tr", rowAttrs ? rowAttrs(row) : null, columns.map((c) =>
    el(c.head ? "th" : "td", { class: c.class, scope: c.head ? "row" : null, "data-label": c.title }, c.cell(row)))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", null, el("caption", { class: "unseen" }, caption), el("thead", null, head), el("tbody", null, body)));
}

/** What to see where there is nothing yet, and what to do about it. */
export function empty(picture, title, text, ...actions) {
  return el("div", { class: "empty" }, el("div", { class: "empty-mark" }, icon(picture)),
    el("p", { class: "empty-title" }, title), text ? el("p", { class: "empty-text" }, text) : null,
    actions.length ? el("div", { class: "actions" }, actions) : null);
}

/** A line that wants attention; tone look or bad (or info). */
export function notice(tone, text, ...more) {
  return el("div", { class: `notice ${tone}` }, icon(tone === "bad" ? "fail" : tone === "look" ? "warn" : "info"),
    el("div", { class: "notice-text" }, typeof text === "string" ? el("p", null, text) : text, more));
}

/** Something measured: a label, its value, a small line below. */
export function figure(label, value, note, tone) {
  return el("div", { class: ["figure", tone].filter(Boolean).join(" ") }, el("dt", null, label),
    el("dd", null, el("span", { class: "value" }, value), note ? el("span", { class: "note" }, note) : null));
}

export function progress(done, total, label) {
  const known = total > 0;
  return el("progress", { max: known ? total : null, value: known ? done : null, "aria-label": label });
}

/** Opens a modal dialog (focus stays in it, Escape closes it). Returns {close}. */
export function dialog(title, closeText, ...children) {
  const node = el("dialog", { class: "dialog", "aria-labelledby": "dialog-title" },
    el("header", { class: "card-head" }, el("h2", { id: "dialog-title" }, title),
      button(closeText, { icon: "close", kind: "icon", onclick: () => node.close() })), ...children);
  node.addEventListener("close", () => node.remove());
  document.body.append(node);
  node.showModal();
  return { node, close: () => node.close() };
}

/** A short message at the window's edge, read aloud; tone as a notice's. */
export function toast(text, tone) {
  let place = document.getElementById("toasts");
  if (!place) {
    place = el("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const node = el("p", { class: `toast ${tone || ""}` }, text);
  place.append(node);
  setTimeout(() => node.remove(), 6000);
}

/** Puts a text on the clipboard; also where the browser allows that only by the old way (plain HTTP
 * from another machine). Resolves to whether it worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** A download of bytes that are here already. */
export function save(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = el("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

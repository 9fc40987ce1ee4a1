// The board of slots: cards laid out by a task's structure, whose texts grow as they are written.
// Events only mark a slot; what changed is drawn once per animation frame, so that hundreds of events
// a second cost no more than sixty drawings.
import { el, icon } from "./ui.js";

export const CAST = ["protagonist", "ally", "rival", "mentor", "wildcard"];
export const ACTS = ["act1", "act2a", "act2b", "act3"];
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

const unescape = (part) => part.replace(/~1/g, "/").replace(/~0/g, "~");

/** Texts under `value` with their paths: [["/themes/0", "home"], …] */
export function leaves(value, path = "") {
  if (typeof value === "string") return [[path, value]];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, v]) => leaves(v, `${path}/${key.replace(/~/g, "~0").replace(/\//g, "~1")}`));
}

/** One text on the board. Shows a little less than it has and catches up, frame by frame. */
class Slot {
  constructor(node, card, follow) {
    this.text = document.createTextNode("");
    this.place = el("span", { class: "slot-text" });
    this.place.append(this.text);
    node.append(this.place);
    Object.assign(this, { node, card, follow, has: "", shown: 0, state: "waiting", drawn: "waiting" });
    node.dataset.state = "waiting";
  }

  set(text, state, whole = false) {
    if (!text.startsWith(this.has)) this.shown = 0;
    this.has = text;
    this.state = state;
    if (whole) this.shown = (this.text.data = text).length;
  }

  /** Returns whether it has to be drawn again. */
  draw() {
    const length = this.has.length;
    const follows = this.follow && this.follow.scrollTop + this.follow.clientHeight > this.follow.scrollHeight - 48;
    if (this.shown > length || !this.has.startsWith(this.text.data)) this.shown = 0;
    let to = CALM.matches ? length : Math.min(length, this.shown + Math.max(3, Math.ceil((length - this.shown) * 0.14)));
    const code = this.has.charCodeAt(to - 1);
    if (code >= 0xd800 && code < 0xdc00 && to < length) to += 1; // half of a pair
    if (this.shown === 0) this.text.data = this.has.slice(0, to);
    else if (to > this.shown) this.text.appendData(this.has.slice(this.shown, to));
    this.shown = to;
    const state = this.state === "done" && to < length ? "writing" : this.state;
    if (state !== this.drawn) {
      if (state === "done" && this.follow) this.follow.scrollTop = 0;
      this.drawn = state;
      this.node.dataset.state = state;
      this.card.changed();
    }
    if (follows && state === "writing") this.follow.scrollTop = this.follow.scrollHeight;
    return to < length;
  }
}

/** A card of slots; waiting, writing and done as its slots are. */
class Card {
  constructor(node) {
    this.node = node;
    this.slots = [];
    node.dataset.state = "waiting";
  }

  changed() {
    const states = new Set(this.slots.map((s) => s.drawn));
    const state = states.has("writing") ? "writing" : !states.size || (states.size === 1 && states.has("waiting")) ? "waiting"
      : states.has("waiting") ? "between" : "done";
    if (this.node.dataset.state === state) return;
    this.node.dataset.state = state;
    this.node.setAttribute("aria-busy", String(state === "writing"));
  }
}

/** The board of one request. `t` gives texts; `ids` are the chapters asked for. */
export class Board {
  constructor(task, ids, t) {
    this.t = t;
    this.slots = new Map();
    this.groups = new Map(); // path of a list → what makes a place for one of its texts
    this.dirty = new Set();
    this.frame = 0;
    this.cards = [];
    this.root = el("div", { class: `board board-${task}` });
    LAYOUTS[task](this, ids);
  }

  card(title, { level = 4, mark, kind } = {}, ...more) {
    const node = el("article", { class: `slot-card ${kind || ""}` }, el("header", { class: "slot-card-head" },
      mark ? el("span", { class: "slot-mark" }, mark) : null, title ? el(`h${level}`, null, title) : null,
      el("span", { class: "slot-state", "aria-hidden": "true" }, icon("check"))), ...more);
    const card = new Card(node);
    this.cards.push(card);
    return card;
  }

  place(path, node, card, follow) {
    const slot = new Slot(node, card, follow);
    this.slots.set(path, slot);
    card.slots.push(slot);
    return slot;
  }

  /** A named text. */
  line(card, path, name, kind, follow) {
    const node = el("div", { class: `slot ${kind || ""}` }, name ? el("span", { class: "slot-name" }, name) : null);
    this.place(path, node, card, follow);
    card.node.append(node);
    return node;
  }

  /** A named list of texts that come as they come: make(parts of the path below it, the list's
   * element) gives the element for one, null where it is not shown. */
  list(card, path, name, kind, make) {
    const items = el("div", { class: `slot-items ${kind}` });
    card.node.append(el("div", { class: "slot slot-list" }, name ? el("span", { class: "slot-name" }, name) : null, items));
    this.groups.set(path, { card, make: (rest) => make(rest, items) });
  }

  chips(card, path, name) {
    this.list(card, path, name, "chips", (rest, items) => {
      const node = el("span", { class: "chip" });
      items.append(node);
      return node;
    });
  }

  /** The slot of a path, made where the layout has a list for it; undefined: not shown. */
  find(path) {
    const known = this.slots.get(path);
    if (known) return known;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const group = this.groups.get(path.slice(0, at));
      if (group) {
        const node = group.make(path.slice(at + 1).split("/").map(unescape));
        return node ? this.place(path, node, group.card) : undefined;
      }
    }
    return undefined;
  }

  /** `whole`: shown at once, as what was written before. */
  update(path, { text, state }, whole = false) {
    const slot = this.find(path);
    if (!slot) return;
    slot.set(text, state, whole);
    this.dirty.add(slot);
    this.wake();
  }

  wake() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    for (const slot of this.dirty) if (!slot.draw()) this.dirty.delete(slot);
    if (this.dirty.size) this.wake();
  }

  /** The answer as it is: whatever was not told, or was told otherwise. */
  settle(output, whole = false) {
    const texts = new Map(leaves(output));
    for (const [path, text] of texts) this.update(path, { text, state: "done" }, whole);
    for (const [path, slot] of this.slots) {
      if (texts.has(path)) continue;
      slot.set("", "done");
      this.dirty.add(slot);
      slot.node.hidden = slot.node.classList.contains("chip");
    }
    if (this.settled) this.settled(output);
    this.wake();
  }

  counts() {
    let done = 0, writing = 0;
    for (const { state } of this.slots.values()) {
      done += state === "done";
      writing += state === "writing";
    }
    return { done, writing, all: this.slots.size };
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}

// ---- how each task is laid out -------------------------------------------------------------------

function blueprint(board) {
  const { t } = board;
  const title = board.card(null, { kind: "wide" });
  board.line(title, "/title", t("slot.title"), "slot-title");
  const facts = board.card(t("slot.facts"), { level: 3, kind: "slot-facts" });
  board.line(facts, "/genre", t("slot.genre"));
  board.line(facts, "/tone", t("slot.tone"));
  board.line(facts, "/target_audience", t("slot.target_audience"));
  board.chips(facts, "/themes", t("slot.themes"));
  const setting = board.card(t("slot.setting"), { level: 3 });
  board.line(setting, "/setting", null, "slot-prose");
  const conflict = board.card(t("slot.core_conflict"), { level: 3 });
  board.line(conflict, "/core_conflict", null, "slot-prose");
  board.root.append(title.node, facts.node, setting.node, conflict.node);
}

function characters(board) {
  const { t } = board;
  CAST.forEach((id, i) => {
    const at = (name) => `/characters/${i}/${name}`;
    const card = board.card(null, { mark: t(`cast.${id}`), kind: `cast cast-${id}` });
    board.line(card, at("name"), null, "slot-heading");
    board.line(card, at("archetype"), null, "slot-sub");
    board.line(card, at("background"), null, "slot-prose");
    board.line(card, at("motivation"), t("slot.motivation"));
    board.chips(card, at("personality_traits"), t("slot.personality_traits"));
    board.chips(card, at("skills"), t("slot.skills"));
    board.list(card, at("relationships"), t("slot.relationships"), "bonds", ([who], items) => {
      const node = el("p", { class: "bond" }, el("strong", null, CAST.includes(who) ? t(`cast.${who}`) : who), " ");
      items.append(node);
      return node;
    });
    board.root.append(card.node);
  });
}

function storyArc(board) {
  const { t } = board;
  const head = board.card(null, { kind: "wide" });
  board.line(head, "/title", t("slot.title"), "slot-title");
  board.line(head, "/description", null, "slot-prose");
  const themes = el("div", { class: "arc-side" });
  const inner = board.card(t("slot.themes"), { level: 3 });
  board.line(inner, "/themes/primary", t("slot.primary"));
  board.chips(inner, "/themes/secondary", t("slot.secondary"));
  themes.append(inner.node);
  for (const name of ["opening", "midpoint", "climax"]) {
    const hook = board.card(t(`slot.${name}`), { level: 3 });
    board.line(hook, `/hooks/${name}`, null, "slot-prose");
    themes.append(hook.node);
  }
  const acts = el("div", { class: "acts" }, ACTS.map((act, a) => {
    const lead = board.card(t(`act.${act}`), { level: 3, kind: "act" });
    board.line(lead, `/arcs/${act}/description`);
    return el("section", { class: "act-column" }, lead.node, [0, 1, 2].map((k) => {
      const i = 3 * a + k;
      const card = board.card(null, { mark: String(i + 1), kind: "arc-chapter" });
      board.line(card, `/chapters/${i}/title`, null, "slot-heading");
      board.line(card, `/chapters/${i}/description`);
      const focus = el("p", { class: "arc-focus", hidden: true });
      card.node.append(focus);
      (board.focus = board.focus || [])[i] = focus;
      return card.node;
    }));
  }));
  board.settled = (output) => (output.chapters || []).forEach((c, i) => {
    if (!board.focus[i] || !Array.isArray(c.characterFocus)) return;
    board.focus[i].replaceChildren(...c.characterFocus.map((id) => el("span", { class: "chip" }, CAST.includes(id) ? t(`cast.${id}`) : String(id))));
    board.focus[i].hidden = false;
  });
  board.root.append(head.node, themes, acts);
}

function chapters(board, ids) {
  const { t } = board;
  ids.forEach((id, i) => {
    const at = (name) => `/chapters/${i}/${name}`;
    const card = board.card(null, { mark: t("chapter", { n: id }), kind: "sheet" });
    board.line(card, at("title"), null, "slot-heading");
    const scroll = el("div", { class: "sheet-scroll", tabindex: "0", role: "group", "aria-label": t("chapter.text", { n: id }) });
    const content = el("div", { class: "slot slot-prose" });
    board.place(at("content"), content, card, scroll);
    scroll.append(content);
    card.node.append(scroll);
    const grown = new Map();
    board.list(card, at("choices"), t("slot.choices"), "slot-choices", ([index, name, key], items) => {
      if (!grown.has(index)) {
        const text = el("span", { class: "choice-text" });
        const more = el("span", { class: "choice-more" });
        items.append(el("p", { class: "choice" }, text, more));
        grown.set(index, { text, more });
      }
      const { text, more } = grown.get(index);
      if (name === "text") return text;
      if (name !== "consequences" || !key) return null;
      const node = el("span", { class: "consequence" }, el("span", { class: "key" }, `${key.replace(/_/g, " ")} `));
      more.append(node);
      return node;
    });
    board.root.append(card.node);
  });
}

const LAYOUTS = { blueprint, characters, story_arc: storyArc, chapters };

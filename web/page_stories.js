// Every story that was written here, to find and to play.
import { el, icon, button, badge, field, input, select, tick, empty, notice, save } from "./ui.js";
import { mountBook } from "./book.js";
import { fileName } from "./story_files.js";

export const strings = {
  en: {
    title: "Stories", lead: "What this miner has written, to read and to play.", search: "Search title and idea", language: "Language", origin: "Asked by", all: "All",
    complete: "Complete ones only", parts: "Single parts too", "lang.en": "English", "lang.zh": "Chinese", "origin.validator": "validator", "origin.playground": "playground", "origin.cli": "command line", "origin.serve": "another machine",
    untitled: "Untitled", chapters: "{n} of 12 chapters", count: "{n} stories", "count.1": "1 story", more: "Show older ones", back: "All stories", again: "Write on this idea anew",
    "save.json": "Download the story as JSON", "save.html": "Download the book as HTML",
    none: "No story yet", "none.text": "Stories appear here as validators ask for them. The Playground writes one now.", toPlay: "To the Playground",
    nothing: "Nothing is like that", "nothing.text": "No story fits the search.", clear: "Clear the search", failed: "The story could not be opened",
  },
  zh: {
    title: "故事", lead: "这台矿工写过的故事，可以阅读，也可以游玩。", search: "搜索标题和想法", language: "语言", origin: "请求者", all: "全部",
    complete: "只看完整的", parts: "也看零散部分", "lang.en": "英文", "lang.zh": "中文", "origin.validator": "验证者", "origin.playground": "试写", "origin.cli": "命令行", "origin.serve": "另一台机器",
    untitled: "无题", chapters: "12 章中的 {n} 章", count: "{n} 个故事", "count.1": "1 个故事", more: "显示更早的", back: "全部故事", again: "用这个想法重新写",
    "save.json": "下载故事（JSON）", "save.html": "下载书（HTML）",
    none: "还没有故事", "none.text": "验证者请求的故事会出现在这里。也可以现在就去试写一个。", toPlay: "去试写",
    nothing: "没有符合的故事", "nothing.text": "没有故事符合搜索条件。", clear: "清除搜索", failed: "无法打开这个故事",
  },
};

const PAGE = 60; // asked for at once; the miner searches, and knows the older ones
const AGAIN_MS = 3000;
const TYPING_MS = 250;
const NO_FILTER = { text: "", language: "", origin: "", complete: false, parts: false };
const filter = { ...NO_FILTER }; // kept while other pages are looked at

export function mount(root, ctx) {
  const page = new Stories(root, ctx);
  page.open(ctx.args[0]);
  return { unmount: () => page.unmount(), update: (args) => page.open(args[0]) };
}

class Stories {
  constructor(root, ctx) {
    Object.assign(this, { root, ctx, t: ctx.t, stories: null, older: null, reading: null, gone: new AbortController(), timer: 0, typing: 0, at: 0, asked: 0 });
    this.off = ctx.events.on("request", (r) => {
      // What is new comes by itself, unless somebody has gone down to older ones.
      if (r.done && !this.timer && !this.reading && (this.stories || []).length <= PAGE) this.timer = setTimeout(() => { this.timer = 0; if (!this.reading) this.load(); }, AGAIN_MS);
    });
  }

  unmount() {
    this.close();
    this.off();
    clearTimeout(this.timer);
    clearTimeout(this.typing);
    this.gone.abort();
  }

  close() {
    if (this.reading) this.reading();
    this.reading = null;
  }

  open(id) {
    this.close();
    if (id) {
      this.read(id);
      return;
    }
    this.frame();
    this.load();
  }

  // ---- the shelf ---------------------------------------------------------------------------------

  frame() {
    const { t } = this;
    this.search = input({ type: "search", value: filter.text, oninput: (e) => {
      filter.text = e.target.value;
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.load(), TYPING_MS);
    } });
    this.count = el("p", { class: "soft", role: "status" });
    this.shelf = el("ul", { class: "shelf" });
    this.foot = el("div", { class: "shelf-foot" });
    const box = field(t("search"), this.search);
    box.append(el("span", { class: "searchbox-mark" }, icon("search")));
    const one = (key, choices) => field(t(key), select([["", t("all")], ...choices], filter[key], { onchange: (e) => this.narrow(key, e.target.value) }));
    this.root.replaceChildren(
      el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead"))), this.count),
      el("form", { class: "card filters shelf-filters", role: "search", onsubmit: (e) => e.preventDefault() }, box,
        one("language", ["en", "zh"].map((v) => [v, t(`lang.${v}`)])),
        one("origin", ["validator", "playground", "cli", "serve"].map((v) => [v, t(`origin.${v}`)])),
        el("div", { class: "ticks" }, tick(t("complete"), { checked: filter.complete, onchange: (e) => this.narrow("complete", e.target.checked) }),
          tick(t("parts"), { checked: filter.parts, onchange: (e) => this.narrow("parts", e.target.checked) }))),
      this.shelf, this.foot);
    this.draw();
  }

  /** Asks for the newest that fit, or for those before `older`. */
  async load(older) {
    const mine = ++this.asked;
    const ask = new URLSearchParams({ limit: PAGE });
    if (filter.text.trim()) ask.set("q", filter.text.trim());
    if (filter.origin) ask.set("origin", filter.origin);
    if (filter.parts) ask.set("all", "true");
    if (older) ask.set("before_id", older);
    try {
      const got = await this.ctx.api(`/api/stories?${ask}`, { signal: this.gone.signal });
      if (mine !== this.asked) return;
      this.stories = older ? [...this.stories, ...got.stories] : got.stories;
      this.older = got.next_before_id || null;
      if (!this.reading) this.draw();
    } catch (error) {
      this.ctx.failed(error);
    }
  }

  narrow(key, value) {
    filter[key] = value;
    this.draw();
    if (key === "origin" || key === "parts") this.load();
  }

  /** What the miner does not sort out. */
  fits(s) {
    return (!filter.language || s.language === filter.language) && (!filter.complete || s.complete);
  }

  clear() {
    Object.assign(filter, NO_FILTER);
    this.frame();
    this.load();
    this.search.focus();
  }

  draw() {
    const { t } = this, f = this.ctx.format;
    if (!this.stories) return;
    const found = this.stories.filter((s) => this.fits(s));
    this.count.textContent = t(found.length === 1 ? "count.1" : "count", { n: f.number(found.length) });
    this.shelf.replaceChildren(...found.map((s) => el("li", null, this.cover(s))));
    this.shelf.hidden = !found.length;
    const narrowed = Object.keys(NO_FILTER).some((key) => filter[key] !== NO_FILTER[key]);
    this.foot.replaceChildren(...[this.older ? button(t("more"), { id: "more", onclick: () => this.load(this.older) })
      : found.length ? null
      : narrowed ? empty("search", t("nothing"), t("nothing.text"), button(t("clear"), { onclick: () => this.clear() }))
      : empty("stories", t("none"), t("none.text"), el("a", { class: "button primary", href: "#/play" }, t("toPlay")))].filter(Boolean));
  }

  cover(s) {
    const { t } = this, f = this.ctx.format;
    const origin = strings.en[`origin.${s.origin}`] ? t(`origin.${s.origin}`) : s.origin;
    const n = Math.max(0, Math.min(12, Number(s.chapters) || 0));
    return el("a", { class: `cover-card ${s.complete ? "complete" : ""}`, href: `#/stories/${encodeURIComponent(s.id)}` },
      el("span", { class: "cover-title", lang: s.language }, s.title || s.user_input || t("untitled")),
      s.title ? el("span", { class: "cover-idea", lang: s.language }, s.user_input) : null,
      el("span", { class: "cover-pages", role: "img", "aria-label": t("chapters", { n }) }, Array.from({ length: 12 }, (_, k) => el("span", { class: k < n ? "page-full" : "page-none" }))),
      el("span", { class: "cover-foot" }, el("span", null, origin), el("span", null, f.moment(s.time))));
  }

  // ---- one story ---------------------------------------------------------------------------------

  async read(id) {
    const { t } = this, mine = ++this.at;
    const back = el("a", { class: "button quiet", href: "#/stories" }, icon("arrow"), el("span", null, t("back")));
    const head = el("div", { class: "reader-head" }, back);
    const place = el("div", { class: "reader" });
    this.reading = () => {};
    this.root.replaceChildren(el("h1", { class: "unseen" }, t("title")), head, place);
    const path = `/api/stories/${encodeURIComponent(id)}`;
    let story;
    try {
      story = await this.ctx.api(path, { signal: this.gone.signal });
    } catch (error) {
      if (error.name !== "AbortError" && mine === this.at) place.replaceWith(notice("bad", el("div", null, el("p", null, el("strong", null, t("failed"))), el("p", null, error.message))));
      return;
    }
    if (mine !== this.at || !this.reading) return;
    head.append(el("div", { class: "actions" },
      button("JSON", { icon: "download", title: t("save.json"), onclick: () => save(fileName(story, "json"), JSON.stringify(story, null, 2), "application/json") }),
      el("a", { class: "button", href: `${path}/book`, download: fileName(story, "html"), title: t("save.html") }, icon("download"), el("span", null, "HTML")),
      story.user_input ? el("a", { class: "button", href: `#/play?idea=${encodeURIComponent(story.user_input)}` }, icon("play"), el("span", null, t("again"))) : null));
    const unmount = mountBook(place, story, { embedded: true });
    this.reading = () => { unmount(); this.at++; };
    const title = story.blueprint && typeof story.blueprint.title === "string" ? story.blueprint.title : t("title");
    this.ctx.title(title);
  }
}

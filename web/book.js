// SPDX-License-Identifier: MIT
// The player of a story: the body of a self-contained story.html, and a view of the dashboard.
// Every text of the story goes through textContent, and nothing of it is trusted to have the right
// type: a story may come from a model, a stranger's file or an old version.

const WORDS = {
  zh: { contents: "目录", cast: "人物", state: "旅程", begin: "开始阅读", cover: "封面", chapter: (n) => `第 ${n} 章`,
        back: "返回上一步", again: "重新开始", end: "全书完", unwritten: "本章尚未写成。", start: "旅程尚未开始。", untitled: "无题",
        mood: "心境", relationship: "关系", resource: "资源", wants: "动机", skills: "技能", traits: "性格" },
  en: { contents: "Contents", cast: "Characters", state: "Your journey", begin: "Begin", cover: "Cover", chapter: (n) => `Chapter ${n}`,
        back: "Back", again: "Start again", end: "The End", unwritten: "This chapter is not written yet.", start: "Not a step taken yet.",
        untitled: "Story", mood: "Mood", relationship: "Bond", resource: "", wants: "Wants", skills: "Skills", traits: "Is" },
};
const LAST = 12;

const text = (value) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const list = (value) => (Array.isArray(value) ? value : []);
const record = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
const records = (value) => list(value).map(record);
const isCjk = (s) => /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]/.test(s);

const make = (tag, props, ...children) => {
  const node = Object.assign(document.createElement(tag), props || {});
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
};

/** What the player reads of a story, each part of the type that it expects. */
function reading(story) {
  const whole = record(story);
  const byId = (rows) => new Map(records(rows).filter((c) => Number.isInteger(c.id)).map((c) => [c.id, c]));
  const blueprint = record(whole.blueprint);
  const arc = record(whole.story_arc);
  const chapters = byId(whole.chapters);
  const outline = byId(arc.chapters);
  const zh = isCjk(text(blueprint.setting)) || isCjk([...chapters.values()].map((c) => text(c.content)).join(""));
  return { idea: text(whole.user_input), blueprint, arc, chapters, outline, lang: zh ? "zh" : "en",
           people: records(record(whole.characters).characters),
           title: text(blueprint.title) || text(arc.title) || WORDS[zh ? "zh" : "en"].untitled };
}

/** Carries a choice's consequences along: counted ones add up, the others replace. */
function carry(before, consequences) {
  const counts = (key) => key.startsWith("relationship_") || key.startsWith("resource_");
  const after = new Map(before);
  for (const [key, value] of Object.entries(record(consequences))) {
    after.set(key, counts(key) ? (Number(after.get(key)) || 0) + (parseInt(value, 10) || 0) : text(value));
  }
  return after;
}

/**
 * Shows `story` in the empty element `root`; returns a function that takes it away again.
 * embedded: a part of a page that has headings, a title and a main element of its own.
 */
export function mountBook(root, story, { embedded = false } = {}) {
  const { idea, blueprint, arc, chapters, outline, lang, people, title } = reading(story);
  const words = WORDS[lang];
  const names = new Map(people.map((p) => [text(p.id), text(p.name)]));
  const heading = embedded ? "h2" : "h1";
  const below = embedded ? "h3" : "h2";
  let at = 0; // 0 is the cover
  let state = new Map();
  let ended = false;
  const trail = []; // what `back` returns to
  const visited = new Set();

  const running = make("p", { className: "book-running" });
  const page = make(embedded ? "section" : "main", { className: "book-page", tabIndex: -1 });
  const entries = make("ol");
  const journey = make("dl");
  const still = make("p", { className: "book-still", textContent: words.start });
  const cast = make("div", { className: "book-people" });
  const contents = make("nav", { className: "book-contents", id: "book-contents" },
    make(below, { textContent: words.contents }), entries);
  const side = make("aside", { className: "book-cast", id: "book-cast" },
    make("section", { className: "book-state" }, make(below, { textContent: words.state }), still, journey),
    make(below, { textContent: words.cast }), cast);
  contents.setAttribute("aria-label", words.contents);
  side.setAttribute("aria-label", words.cast);
  if (embedded) page.setAttribute("aria-label", title);
  else page.id = "book-page";

  const label = (key) => {
    const [kind, ...rest] = key.split("_");
    if (kind === "relationship") return `${words.relationship}: ${names.get(rest.join("_")) || rest.join(" ")}`;
    if (key === "mood") return words.mood;
    const what = kind === "resource" ? `${words.resource} ${rest.join(" ")}`.trim() : key.replace(/_/g, " ");
    return what.replace(/^./, (c) => c.toUpperCase());
  };

  const showState = () => {
    const rows = [...state].flatMap(([key, value]) => {
      const tone = typeof value === "number" && value !== 0 ? (value < 0 ? "down" : "up") : "";
      return [make("dt", { textContent: label(key) }),
              make("dd", { textContent: tone === "up" ? `+${value}` : String(value), className: tone })];
    });
    journey.replaceChildren(...rows);
    journey.hidden = !rows.length;
    still.hidden = rows.length > 0;
  };

  const line = (name, value) => (value ? make("p", null, make("strong", { textContent: `${name}: ` }), value) : null);
  const joined = (value) => list(value).map(text).filter(Boolean).join(lang === "zh" ? "、" : ", ");

  const showPeople = () => {
    const focus = list(record(outline.get(at)).characterFocus);
    cast.replaceChildren(...people.map((p) => make("details", { className: focus.includes(p.id) ? "here" : "" },
      make("summary", null, text(p.name) || text(p.id), make("small", { textContent: text(p.archetype) })),
      make("p", { textContent: text(p.background) }),
      line(words.wants, text(p.motivation)),
      line(words.traits, joined(p.personality_traits)),
      line(words.skills, joined(p.skills)),
      ...Object.entries(record(p.relationships)).map(([id, bond]) => line(names.get(id) || id, text(bond))))));
  };

  const showContents = () => {
    const entry = (id, name) => {
      const button = make("button", { type: "button", textContent: name, className: visited.has(id) ? "visited" : "" });
      if (id === at) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => go(id, state));
      return make("li", null, button);
    };
    const ids = outline.size ? [...outline.keys()] : [...chapters.keys()];
    entries.replaceChildren(entry(0, words.cover), ...ids.map((id) =>
      entry(id, `${id}. ${text(record(chapters.get(id) || outline.get(id)).title)}`)));
  };

  const cover = () => {
    const begin = make("button", { type: "button", className: "primary book-begin", textContent: words.begin });
    begin.addEventListener("click", () => go(chapters.size ? Math.min(...chapters.keys()) : 1, new Map()));
    const opening = text(record(arc.hooks).opening);
    return make("section", { className: "book-cover" },
      make(heading, { textContent: title }),
      make("p", { className: "idea", textContent: idea }),
      make("ul", { className: "tags" }, ...[blueprint.genre, blueprint.tone, ...list(blueprint.themes)].map(text)
        .filter(Boolean).map((t) => make("li", { textContent: t }))),
      make("p", { textContent: text(blueprint.setting) }),
      make("p", { textContent: text(blueprint.core_conflict) }),
      opening ? make("p", { className: "opening", textContent: opening }) : null,
      begin);
  };

  const choiceButton = (choice) => {
    const hint = Object.entries(record(choice.consequences)).map(([k, v]) => `${label(k)} ${text(v)}`).join(" · ");
    const button = make("button", { type: "button" }, text(choice.text), make("small", { textContent: hint }));
    const next = Number.isInteger(choice.nextChapter) ? choice.nextChapter : at;
    button.addEventListener("click", () => go(next, carry(state, choice.consequences)));
    return make("li", null, button);
  };

  const turnButtons = () => {
    const back = make("button", { type: "button", className: "book-back", textContent: words.back });
    const again = make("button", { type: "button", className: "book-again", textContent: words.again });
    back.addEventListener("click", goBack);
    again.addEventListener("click", () => { trail.length = 0; visited.clear(); ended = false; go(0, new Map()); });
    return make("div", { className: "book-turn" }, trail.length ? back : null, again);
  };

  const chapter = (id) => {
    const written = chapters.get(id);
    const planned = record(outline.get(id));
    const prose = written ? text(written.content) : `${text(planned.description)}\n\n${words.unwritten}`;
    const over = id === LAST && ended;
    return make("article", { className: "book-chapter" },
      make("p", { className: "book-number", textContent: words.chapter(id) }),
      make(heading, { textContent: text(record(written).title) || text(planned.title) }),
      make("div", { className: "prose" }, ...prose.split(/\n+/).filter((p) => p.trim()).map((p) => make("p", { textContent: p }))),
      over ? make("p", { className: "book-number", textContent: words.end })
           : make("ul", { className: "choices" }, ...records(record(written).choices).map(choiceButton)),
      turnButtons());
  };

  const show = () => {
    page.replaceChildren(at === 0 ? cover() : chapter(at));
    running.textContent = at === 0 ? "" : title;
    if (!embedded) document.title = at === 0 ? title : `${words.chapter(at)} – ${title}`;
    showState();
    showPeople();
    showContents();
    openPanel(null);
  };

  const arrive = () => {
    show();
    if (embedded) root.scrollIntoView({ block: "start" });
    else window.scrollTo(0, 0);
    page.focus({ preventScroll: true });
  };

  const go = (to, newState) => {
    trail.push({ at, state });
    if (trail.length > 200) trail.shift();
    ended = at === LAST && to === LAST;
    state = newState;
    at = to;
    visited.add(to);
    arrive();
  };

  const goBack = () => {
    const previous = trail.pop();
    if (!previous) return;
    ended = false;
    ({ at, state } = previous);
    arrive();
  };

  /* Where there is no room beside the page, a panel takes its place. */
  const openers = [[contents, words.contents], [side, words.cast]].map(([panel, name]) => {
    const button = make("button", { type: "button", textContent: name, className: `open-${panel.id.slice(5)}` });
    button.setAttribute("aria-controls", panel.id);
    button.addEventListener("click", () => openPanel(panel.classList.contains("open") ? null : panel));
    return { panel, button };
  });
  let left = 0; // where the page was left for a panel
  const openPanel = (wanted) => {
    const was = page.classList.contains("covered");
    if (wanted && !was) left = window.scrollY;
    for (const { panel, button } of openers) {
      panel.classList.toggle("open", panel === wanted);
      button.setAttribute("aria-expanded", String(panel === wanted));
    }
    page.classList.toggle("covered", wanted !== null);
    if (wanted && !page.getClientRects().length) root.scrollIntoView({ block: "start" });
    else if (was && !wanted) window.scrollTo(0, left);
  };
  const onKey = (event) => { if (event.key === "Escape") openPanel(null); };
  document.addEventListener("keydown", onKey);

  root.classList.add("book");
  root.lang = lang;
  if (!embedded) document.documentElement.lang = lang;
  root.replaceChildren(
    make(embedded ? "div" : "header", { className: "book-bar" }, openers[0].button, running, openers[1].button),
    make("div", { className: "book-spread" }, contents, page, side));
  show();
  return () => {
    document.removeEventListener("keydown", onKey);
    root.classList.remove("book");
    root.replaceChildren();
  };
}

const own = document.querySelector("script#story");
if (own) mountBook(document.getElementById("book"), JSON.parse(own.textContent));

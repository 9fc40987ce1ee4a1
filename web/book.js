"use strict";
// Plays the story in #story. Every text of the story goes through textContent: it is never markup.
(() => {
  const story = JSON.parse(document.getElementById("story").textContent);
  const blueprint = story.blueprint || {};
  const people = (story.characters && story.characters.characters) || [];
  const arc = story.story_arc || {};
  const outline = arc.chapters || [];
  const chapters = new Map((story.chapters || []).map((c) => [c.id, c]));
  const cjk = (s) => /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]/.test(s || "");
  const zh = cjk(blueprint.setting) || cjk([...chapters.values()].map((c) => c.content).join(""));
  const words = zh
    ? { contents: "目录", cast: "人物", state: "旅程", begin: "开始阅读", cover: "封面", chapter: (n) => `第 ${n} 章`,
        back: "返回上一步", again: "重新开始", end: "全书完", unwritten: "本章尚未写成。", start: "旅程尚未开始。",
        mood: "心境", relationship: "关系", resource: "资源", bonds: "关系", wants: "动机", skills: "技能" }
    : { contents: "Contents", cast: "Characters", state: "Your journey", begin: "Begin", cover: "Cover", chapter: (n) => `Chapter ${n}`,
        back: "Back", again: "Start again", end: "The End", unwritten: "This chapter is not written yet.", start: "Not a step taken yet.",
        mood: "Mood", relationship: "Bond", resource: "", bonds: "Bonds", wants: "Wants", skills: "Skills" };
  const title = blueprint.title || arc.title || "Story";
  const page = document.getElementById("page");
  const names = new Map(people.map((p) => [p.id, p.name]));
  let at = 0; // 0 is the cover
  let state = {};
  const trail = []; // what `back` returns to
  const visited = new Set();

  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props || {});
    node.append(...children.filter((c) => c !== null && c !== undefined));
    return node;
  };
  const label = (key) => {
    const [kind, ...rest] = key.split("_");
    const what = rest.join(" ");
    if (kind === "relationship") return `${words.relationship}: ${names.get(rest.join("_")) || what}`;
    if (kind === "resource") return `${words.resource} ${what}`.trim().replace(/^./, (c) => c.toUpperCase());
    if (key === "mood") return words.mood;
    return key.replace(/_/g, " ").replace(/^./, (c) => c.toUpperCase());
  };
  const counts = (key) => key.startsWith("relationship_") || key.startsWith("resource_");

  // Carries a choice's consequences along: counted ones add up, the others replace.
  const apply = (before, consequences) => {
    const after = { ...before };
    for (const [key, value] of Object.entries(consequences || {})) {
      after[key] = counts(key) ? (Number(after[key]) || 0) + (parseInt(value, 10) || 0) : String(value);
    }
    return after;
  };

  const showState = () => {
    const list = document.querySelector("#state dl");
    const rows = Object.entries(state).flatMap(([key, value]) => {
      const shown = typeof value === "number" && value > 0 ? `+${value}` : String(value);
      const tone = typeof value === "number" ? (value < 0 ? "down" : value > 0 ? "up" : "") : "";
      return [make("dt", { textContent: label(key) }), make("dd", { textContent: shown, className: tone })];
    });
    list.replaceChildren(...(rows.length ? rows : [make("dt", { textContent: words.start })]));
  };

  const showPeople = () => {
    const focus = (outline.find((c) => c.id === at) || {}).characterFocus || [];
    document.getElementById("people").replaceChildren(...people.map((p) => {
      const bonds = Object.entries(p.relationships || {}).map(([id, text]) => `${names.get(id) || id}: ${text}`);
      const card = make("details", { className: focus.includes(p.id) ? "here" : "" },
        make("summary", null, p.name || p.id, make("small", { textContent: p.archetype || "" })),
        make("p", { textContent: p.background || "" }),
        p.motivation ? make("p", null, make("strong", { textContent: `${words.wants}: ` }), p.motivation) : null,
        (p.skills || []).length ? make("p", null, make("strong", { textContent: `${words.skills}: ` }), p.skills.join(zh ? "、" : ", ")) : null,
        ...bonds.map((text) => make("p", { textContent: text })));
      return card;
    }));
  };

  const showContents = () => {
    const entry = (id, text) => {
      const button = make("button", { type: "button", textContent: text, className: visited.has(id) ? "visited" : "" });
      if (id === at) button.setAttribute("aria-current", "page");
      button.addEventListener("click", () => go(id, state));
      return make("li", null, button);
    };
    const ids = outline.length ? outline.map((c) => c.id) : [...chapters.keys()];
    document.querySelector("#contents ol").replaceChildren(entry(0, words.cover), ...ids.map((id) => {
      const c = chapters.get(id) || outline.find((o) => o.id === id) || {};
      return entry(id, `${id}. ${c.title || ""}`);
    }));
  };

  const cover = () => {
    const begin = make("button", { type: "button", className: "primary", id: "begin", textContent: words.begin });
    begin.addEventListener("click", () => go(Math.min(...chapters.keys(), 12), {}));
    return make("section", { className: "cover" },
      make("h1", { textContent: title }),
      make("p", { className: "idea", textContent: story.user_input || "" }),
      make("ul", { className: "tags" }, ...[blueprint.genre, blueprint.tone, ...(blueprint.themes || [])]
        .filter(Boolean).map((t) => make("li", { textContent: t }))),
      make("p", { textContent: blueprint.setting || "" }),
      make("p", { textContent: blueprint.core_conflict || "" }),
      arc.hooks && arc.hooks.opening ? make("p", { className: "opening", textContent: arc.hooks.opening }) : null,
      begin);
  };

  const choiceButton = (choice) => {
    const hint = Object.entries(choice.consequences || {}).map(([k, v]) => `${label(k)} ${v}`).join(" · ");
    const button = make("button", { type: "button" }, choice.text || "", make("small", { textContent: hint }));
    button.addEventListener("click", () => go(choice.nextChapter, apply(state, choice.consequences)));
    return make("li", null, button);
  };

  const turnButtons = () => {
    const back = make("button", { type: "button", id: "back", textContent: words.back });
    const again = make("button", { type: "button", id: "again", textContent: words.again });
    back.addEventListener("click", goBack);
    again.addEventListener("click", () => { trail.length = 0; visited.clear(); go(0, {}); });
    return make("div", { className: "turn" }, trail.length ? back : null, again);
  };

  const chapter = (id) => {
    const c = chapters.get(id);
    const planned = outline.find((o) => o.id === id) || {};
    const text = c ? c.content : `${planned.description || ""}\n\n${words.unwritten}`;
    const paragraphs = text.split(/\n+/).filter((p) => p.trim());
    const last = id === 12;
    const choices = !c ? [] : (c.choices || []).map(choiceButton);
    return make("article", { className: "chapter" },
      make("p", { className: "number", textContent: words.chapter(id) }),
      make("h1", { textContent: (c && c.title) || planned.title || "" }),
      make("div", { className: "prose" }, ...paragraphs.map((p) => make("p", { textContent: p }))),
      last && visited.has("end") ? make("p", { className: "number", textContent: words.end }) : null,
      last && visited.has("end") ? null : make("ul", { className: "choices" }, ...choices),
      turnButtons());
  };

  const show = () => {
    page.replaceChildren(at === 0 ? cover() : chapter(at));
    document.getElementById("running-title").textContent = at === 0 ? "" : title;
    document.title = at === 0 ? title : `${words.chapter(at)} – ${title}`;
    showState();
    showPeople();
    showContents();
    closePanels();
  };

  const go = (to, newState) => {
    trail.push({ at, state });
    if (trail.length > 200) trail.shift();
    if (at === 12 && to === 12) visited.add("end");
    state = newState;
    at = to;
    visited.add(to);
    show();
    window.scrollTo(0, 0);
    page.focus({ preventScroll: true });
  };

  const goBack = () => {
    const previous = trail.pop();
    if (!previous) return;
    visited.delete("end");
    ({ at, state } = previous);
    show();
    page.focus({ preventScroll: true });
  };

  const panels = [["open-contents", "contents", words.contents], ["open-cast", "cast", words.cast]];
  const closePanels = () => panels.forEach(([button, panel]) => {
    document.getElementById(panel).classList.remove("open");
    document.getElementById(button).setAttribute("aria-expanded", "false");
  });
  panels.forEach(([button, panel, text]) => {
    const node = document.getElementById(button);
    node.textContent = text;
    document.getElementById(panel).setAttribute("aria-label", text);
    node.addEventListener("click", () => {
      const opens = !document.getElementById(panel).classList.contains("open");
      closePanels();
      document.getElementById(panel).classList.toggle("open", opens);
      node.setAttribute("aria-expanded", String(opens));
    });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closePanels(); });

  document.documentElement.lang = zh ? "zh" : "en";
  document.querySelector("#contents h2").textContent = words.contents;
  document.querySelector("#state h2").textContent = words.state;
  document.querySelector("#cast > h2").textContent = words.cast;
  show();
})();

// The shell: navigation, language, theme, connection. A page is web/page_NAME.js with
// `strings` {en, zh} and `mount(root, ctx)`, which returns a function that unmounts it, or
// {unmount, update(args, query)} when it takes a change of its own part of the address itself.
import { calls, liveEvents } from "./net.js";
import { formats } from "./format.js";
import { el, icon, button, select, toast } from "./ui.js";
import * as now from "./page_now.js";
import * as history from "./page_history.js";
import * as play from "./page_play.js";
import * as stories from "./page_stories.js";
import * as models from "./page_models.js";
import * as doctor from "./page_doctor.js";
import * as config from "./page_config.js";

const PAGES = { now, history, play, stories, models, doctor, config };

const STRINGS = {
  en: {
    skip: "Skip to the content", menu: "Menu", pages: "Pages", now: "Now", history: "History", play: "Playground", stories: "Stories",
    models: "Models", doctor: "Doctor", config: "Config", language: "Language", theme: "Theme", "theme.auto": "As the system",
    "theme.light": "Light", "theme.dark": "Dark", live: "Live", lost: "Connection lost", connecting: "Connecting…",
    "lost.text": "The miner does not answer. What you see may be old; this page tries again by itself.", "lost.now": "Try now",
    logout: "Log out", subnet: "Subnet {n}", close: "Close", cancel: "Cancel", failed: "That did not work: {why}", copied: "Copied",
    "copied.not": "The browser did not allow copying", loading: "Loading…", again: "Try again", yes: "yes", no: "no",
  },
  zh: {
    skip: "跳到正文", menu: "菜单", pages: "页面", now: "当前", history: "历史", play: "试写", stories: "故事", models: "模型",
    doctor: "诊断", config: "配置", language: "语言", theme: "主题", "theme.auto": "跟随系统", "theme.light": "浅色", "theme.dark": "深色",
    live: "实时", lost: "连接已断开", connecting: "正在连接…", "lost.text": "矿工没有响应。当前显示的可能已过时；页面会自动重试。",
    "lost.now": "立即重试", logout: "退出登录", subnet: "子网 {n}", close: "关闭", cancel: "取消", failed: "操作未成功：{why}", copied: "已复制",
    "copied.not": "浏览器不允许复制", loading: "正在加载…", again: "重试", yes: "是", no: "否",
  },
};

const keep = (key, value) => { try { localStorage.setItem(`storyfi.${key}`, value); } catch { /* private window */ } };
const root = document.documentElement;
const state = { lang: root.lang === "zh" ? "zh" : "en", session: {}, page: null, mounted: null };

const toLogin = () => location.assign(`/login${location.hash}`);
const net = calls(toLogin);
// A stream of events does not say why it ended: 401 is seen by asking.
const events = liveEvents(() => net.api("/api/session").catch(() => {}));

/** The texts of a page before those of the shell; {name} is filled in. */
const translator = (strings) => (key, values) => {
  const text = (strings && (strings[state.lang] || {})[key]) ?? STRINGS[state.lang][key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : text;
};
const t = translator(null);

// ---- the address ---------------------------------------------------------------------------------

/** "#/history/12?task=x" → {name, args: ["12"], query} */
const address = () => {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...args] = path.split("/").map(decodeURIComponent);
  return { name: PAGES[name] ? name : "now", args, query: new URLSearchParams(query || "") };
};

const context = (name, args, query) => ({
  t: translator(PAGES[name].strings),
  lang: state.lang,
  ...net,
  events,
  format: formats(state.lang),
  session: state.session,
  args,
  query,
  navigate: (path, { replace } = {}) => {
    const hash = path.startsWith("#") ? path : `#/${path}`;
    if (replace) window.history.replaceState(null, "", hash);
    else location.hash = hash;
  },
  title: (text) => { document.title = `${text} · storyfi`; },
  announce: (text) => { document.getElementById("announcer").textContent = text; },
  toast,
  failed: (error) => { if (error.name !== "AbortError") toast(t("failed", { why: error.message }), "bad"); },
});

const unmount = () => {
  const m = state.mounted;
  if (typeof m === "function") m();
  else if (m && m.unmount) m.unmount();
  state.mounted = null;
};

const markCurrent = (name) => {
  for (const a of document.querySelectorAll("#nav a")) {
    if (a.dataset.page === name) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
};

const show = (focus) => {
  const { name, args, query } = address();
  if (name === state.page && state.mounted && state.mounted.update) {
    state.mounted.update(args, query);
    return;
  }
  unmount();
  const main = document.getElementById("main");
  const view = el("div", { class: `page page-${name}` });
  main.replaceChildren(view);
  state.page = name;
  document.title = `${t(name)} · storyfi`;
  markCurrent(name);
  menu(false);
  state.mounted = PAGES[name].mount(view, context(name, args, query));
  if (focus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
};

// ---- the frame -----------------------------------------------------------------------------------

const menu = (open) => {
  document.body.classList.toggle("menu-open", open);
  document.getElementById("menu").setAttribute("aria-expanded", String(open));
};

const setLanguage = (lang) => {
  state.lang = root.lang = lang;
  keep("language", lang);
  frame();
  document.getElementById("language").focus();
};

const setTheme = (theme) => {
  keep("theme", theme);
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  dispatchEvent(new Event("storyfi-theme"));
};

const switches = () => {
  const language = select([["en", "English"], ["zh", "中文"]], state.lang, { id: "language", "aria-label": t("language"), onchange: (e) => setLanguage(e.target.value) });
  const theme = select(["auto", "light", "dark"].map((v) => [v, t(`theme.${v}`)]), root.dataset.theme || "auto",
    { id: "theme", "aria-label": t("theme"), onchange: (e) => setTheme(e.target.value) });
  return el("div", { class: "switches" }, language, theme);
};

const identity = () => {
  const s = state.session, f = formats(state.lang);
  return el("div", { class: "identity" },
    s.hotkey ? el("p", { class: "mono", title: s.hotkey }, f.short(s.hotkey)) : null,
    el("p", { class: "soft" }, [s.netuid === undefined || s.netuid === null || s.netuid < 0 ? null : t("subnet", { n: s.netuid }), s.version ? `v${s.version}` : null].filter(Boolean).join(" · ")),
    s.login_required ? button(t("logout"), { icon: "exit", kind: "quiet small", onclick: () => net.post("/logout").catch(() => {}).then(toLogin) }) : null);
};

const connectionLine = () => el("p", { class: "connection", id: "connection", role: "status" });

const drawConnection = () => {
  const up = events.connected;
  const line = document.getElementById("connection");
  const banner = document.getElementById("lost");
  line.className = `connection ${up ? "up" : up === false ? "down" : ""}`;
  line.textContent = up ? t("live") : up === false ? t("lost") : t("connecting");
  banner.hidden = up !== false;
};

const brand = () => el("a", { class: "brand", href: "#/now" }, el("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 }), el("span", null, "storyfi"));

const frame = () => {
  unmount();
  const items = Object.keys(PAGES).map((name) => el("li", null, el("a", { href: `#/${name}`, "data-page": name, onclick: () => menu(false) }, icon(name), el("span", null, t(name)))));
  document.getElementById("app").replaceChildren(
    el("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); document.getElementById("main").focus(); } }, t("skip")),
    el("header", { class: "side" },
      el("div", { class: "side-top" }, brand(), connectionLine(),
        button(t("menu"), { icon: "menu", kind: "icon", id: "menu", "aria-expanded": "false", "aria-controls": "nav", onclick: () => menu(!document.body.classList.contains("menu-open")) })),
      el("div", { class: "side-body", id: "nav" }, el("nav", { "aria-label": t("pages") }, el("ul", null, items)),
        el("div", { class: "side-foot" }, identity(), switches()))),
    el("main", { id: "main", tabindex: "-1" }));
  const lost = el("div", { class: "lost", id: "lost", role: "alert", hidden: true }, icon("warn"), el("p", null, el("strong", null, t("lost")), " ", t("lost.text")),
    button(t("lost.now"), { kind: "small", onclick: events.retry }));
  document.getElementById("app").append(lost, el("p", { id: "announcer", class: "unseen", "aria-live": "polite" }));
  drawConnection();
  show(false);
};

addEventListener("hashchange", () => show(true));
addEventListener("keydown", (event) => { if (event.key === "Escape" && document.body.classList.contains("menu-open")) { menu(false); document.getElementById("menu").focus(); } });

const start = async () => {
  try {
    state.session = await net.api("/api/session");
  } catch (error) {
    if (error.status === 401) return;
  }
  frame();
  events.on("connection", drawConnection);
  events.open();
};
start();

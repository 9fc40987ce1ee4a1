// What was asked and answered: filters, how fast and how valid over time, the list in pages, and one
// request beside it (#/history/ID). All that is chosen stands in the address.
import { el, icon, button, badge, card, empty, field, input, notice, select, table } from "./ui.js";
import { available, timeChart } from "./charts.js";
import { requestPanel } from "./request_panel.js";

const PAGE = 40;
const BUCKETS = 60;
const RANGES = { hour: 3600, day: 86400, week: 7 * 86400, month: 30 * 86400, all: 0 };
const TASKS = ["blueprint", "characters", "story_arc", "chapters"];
const ORIGINS = ["validator", "playground", "cli", "serve"];
const STATUS = { ok: [200, 200], failed: [201, 599], late: [408, 408], busy: [503, 503], refused: [400, 407] };

export const strings = {
  en: {
    title: "History", lead: "Every request that came in, and what became of it.", filters: "Filters", range: "Time", "range.hour": "Last hour", "range.day": "Last 24 hours", "range.week": "Last 7 days", "range.month": "Last 30 days", "range.all": "All",
    task: "Task", origin: "Asked by", generator: "Generator", status: "Outcome", search: "Search", "search.hint": "Words of the request", any: "All",
    "task.blueprint": "Blueprint", "task.characters": "Characters", "task.story_arc": "Story arc", "task.chapters": "Chapters",
    "origin.validator": "Validator", "origin.playground": "Playground", "origin.cli": "Command line", "origin.serve": "Serve",
    "status.ok": "Answered", "status.failed": "Not answered", "status.late": "Too late", "status.busy": "No generator", "status.refused": "Refused",
    latency: "Time to answer", "latency.lead": "The median, and the time that 95 of 100 stay below.", validity: "Answers", "validity.lead": "How many, and the share that is valid.", p50: "median", p95: "95 %", answers: "answered", failures: "failed", share: "valid",
    "no.charts": "Charts were not built in: run make setup and build again. Everything else is here.", "no.points": "Nothing in this time.",
    list: "Requests", time: "Time", asked: "Request", who: "From", by: "Generator", took: "Took", score: "Structure", "score.of": "{n} of 40", news: "{n} new", older: "Older", newest: "Newest", "list.caption": "Requests, newest first",
    "none.title": "No request yet", "none.range": "No request in this time", "all.time": "Show all time", "none.text": "As soon as a validator asks, or you write something in the playground, it is listed here.", "none.match": "Nothing matches", "none.match.text": "Widen the time, or take a filter away.", clear: "Clear the filters", try: "Open the playground",
    "latency.label": "Chart: time to answer, median from {low} to {high}", "validity.label": "Chart: {a} answered, {f} failed",
  },
  zh: {
    title: "历史", lead: "收到的每个请求，以及结果如何。", filters: "筛选", range: "时间", "range.hour": "最近一小时", "range.day": "最近 24 小时", "range.week": "最近 7 天", "range.month": "最近 30 天", "range.all": "全部",
    task: "任务", origin: "来源", generator: "生成器", status: "结果", search: "搜索", "search.hint": "请求中的文字", any: "全部",
    "task.blueprint": "蓝图", "task.characters": "人物", "task.story_arc": "故事弧", "task.chapters": "章节",
    "origin.validator": "验证者", "origin.playground": "试写", "origin.cli": "命令行", "origin.serve": "serve",
    "status.ok": "已回答", "status.failed": "未回答", "status.late": "超时", "status.busy": "无生成器", "status.refused": "被拒绝",
    latency: "应答用时", "latency.lead": "中位数，以及 95 % 的请求不超过的时间。", validity: "回答", "validity.lead": "数量，以及有效的比例。", p50: "中位数", p95: "95 %", answers: "已回答", failures: "失败", share: "有效",
    "no.charts": "此版本未内置图表：请运行 make setup 并重新构建。其余内容都在。", "no.points": "这段时间没有内容。",
    list: "请求", time: "时间", asked: "请求", who: "来自", by: "生成器", took: "用时", score: "结构分", "score.of": "{n} / 40", news: "{n} 个新请求", older: "更早", newest: "最新", "list.caption": "请求，最新的在前",
    "none.title": "还没有请求", "none.range": "这段时间没有请求", "all.time": "显示全部时间", "none.text": "验证者一来询问，或者你在试写页写点什么，就会列在这里。", "none.match": "没有符合条件的", "none.match.text": "放宽时间范围，或去掉一个条件。", clear: "清除筛选", try: "打开试写",
    "latency.label": "图表：应答用时，中位数从 {low} 到 {high}", "validity.label": "图表：已回答 {a}，失败 {f}",
  },
};

const KEYS = ["range", "task", "origin", "generator", "status", "q", "before"];

/** The address' query as what was chosen, unknown values as none. */
const chosen = (query) => {
  const c = Object.fromEntries(KEYS.map((k) => [k, query.get(k) || ""]));
  if (!(c.range in RANGES)) c.range = "day";
  if (!(c.status in STATUS)) c.status = "";
  return c;
};

const asQuery = (c) => {
  const q = new URLSearchParams();
  for (const k of KEYS) if (c[k] && !(k === "range" && c[k] === "day")) q.set(k, c[k]);
  const text = q.toString();
  return text ? `?${text}` : "";
};

const sinceOf = (c) => (RANGES[c.range] ? Math.floor(Date.now() / 1000) - RANGES[c.range] : 0);

const listPath = (c) => {
  const q = new URLSearchParams({ limit: PAGE });
  for (const k of ["task", "origin", "generator", "q"]) if (c[k]) q.set(k, c[k]);
  if (c.status) { q.set("status_min", STATUS[c.status][0]); q.set("status_max", STATUS[c.status][1]); }
  if (RANGES[c.range]) q.set("since", sinceOf(c));
  if (c.before) q.set("before_id", c.before);
  return `/api/history?${q}`;
};

export const outcome = (t, row) => {
  if (row.status === 200) return badge(t("status.ok"), "good");
  if (row.status === 408) return badge(t("status.late"), "bad");
  if (row.status >= 400 && row.status < 500) return badge(`${row.status}`, "look", { title: row.message });
  return badge(`${row.status}`, "bad", { title: row.message });
};

const said = (t, key, text) => (t(key) === key ? text : t(key));

// ---- charts --------------------------------------------------------------------------------------

function charts(ctx) {
  const { t, format: f, lang } = ctx;
  if (!available()) return { node: notice("info", t("no.charts")), load: async () => {}, destroy: () => {} };
  const latency = timeChart(t("latency"), { lang, axis: (v) => f.ticks(v / 1000), series: [
    { label: t("p50"), colour: "accent", fill: true, value: (v) => f.seconds(v / 1000) },
    { label: t("p95"), colour: "look", dash: [5, 4], value: (v) => f.seconds(v / 1000) }] });
  const validity = timeChart(t("validity"), { lang, axis: (v) => (Number.isInteger(v) ? f.number(v) : ""), series: [
    { label: t("answers"), colour: "accent", bars: true, value: (v, other) => f.number(v - (other(2) || 0)) },
    { label: t("failures"), colour: "bad", bars: true, value: (v) => f.number(v) }] });
  const share = el("p", { class: "big-share" }), none = el("p", { class: "soft none" }, t("no.points"));
  const node = el("div", { class: "grid" },
    card(t("latency"), { id: "latency", class: "w6", lead: t("latency.lead") }, latency.node, none),
    card(t("validity"), { id: "validity", class: "w6", lead: t("validity.lead"), aside: share }, validity.node));
  return {
    node,
    load: async (c, signal) => {
      const since = sinceOf(c) || Math.floor(Date.now() / 1000) - 90 * 86400;
      const { points } = await ctx.api(`/api/history/series?since=${since}&buckets=${BUCKETS}`, { signal });
      const column = (key) => points.map((p) => p[key] ?? null);
      const sum = (key) => points.reduce((a, p) => a + (p[key] || 0), 0);
      const medians = column("p50_ms").filter((v) => v !== null);
      const valid = points.reduce((a, p) => a + (p.valid_share || 0) * p.answers, 0);
      node.hidden = sum("answers") + sum("failures") === 0; // the list below says that there is nothing
      none.hidden = medians.length > 0;
      latency.node.hidden = medians.length === 0;
      latency.set([column("t"), column("p50_ms"), column("p95_ms")]);
      // The failures stand in front of the sum of both.
      validity.set([column("t"), points.map((p) => (p.answers || 0) + (p.failures || 0)), column("failures")]);
      if (medians.length) latency.label(t("latency.label", { low: f.seconds(Math.min(...medians) / 1000), high: f.seconds(Math.max(...medians) / 1000) }));
      validity.label(t("validity.label", { a: f.number(sum("answers")), f: f.number(sum("failures")) }));
      share.replaceChildren(...(sum("answers") ? [el("strong", null, f.share(valid / sum("answers"), 1)), ` ${t("share")}`] : []));
    },
    destroy: () => { latency.destroy(); validity.destroy(); },
  };
}

// ---- the list ------------------------------------------------------------------------------------

function list(ctx, rows, open, openId) {
  const { t, format: f } = ctx;
  const columns = [
    { title: t("time"), class: "when", cell: (r) => el("a", { href: open(r.id), title: f.full(r.time), "data-id": r.id }, f.moment(r.time)) },
    { title: t("asked"), class: "asked", head: true, cell: (r) => el("div", null, el("span", { class: "task" }, said(t, `task.${r.task}`, r.task || f.NONE)), r.user_input ? el("span", { class: "idea" }, r.user_input) : null) },
    { title: t("who"), class: "who", cell: (r) => el("span", { title: r.hotkey || null }, r.origin === "validator" ? (r.uid === null || r.uid === undefined ? f.short(r.hotkey) : `UID ${r.uid}`) : said(t, `origin.${r.origin}`, r.origin)) },
    { title: t("by"), class: "by", cell: (r) => r.generator || f.NONE },
    { title: t("took"), class: "number took", cell: (r) => f.seconds(r.took_ms / 1000) },
    { title: t("score"), class: "number score", cell: (r) => (r.structure === null || r.structure === undefined ? f.NONE : t("score.of", { n: f.number(r.structure, 1) })) },
    { title: t("status"), class: "outcome", cell: (r) => outcome(t, r) },
  ];
  return table(t("list.caption"), columns, rows, { rowAttrs: (r) => ({
    class: String(r.id) === openId ? "open" : null,
    onclick: (e) => { if (!e.target.closest("a") && !getSelection().toString()) location.hash = open(r.id); } }) });
}

export function mount(root, ctx) {
  const { t } = ctx;
  let c = chosen(ctx.query), id = ctx.args[0] || "", aborting = null, panel = null, rows = [], loaded = "";
  const drawn = charts(ctx);
  const listBox = el("div", { class: "history-list" }), panelBox = el("div", { class: "history-panel", hidden: true });
  const pager = el("nav", { class: "pager", "aria-label": t("list") });
  const generators = el("datalist", { id: "generators-known" });
  const go = (change) => ctx.navigate(`history${asQuery({ ...c, before: "", ...change })}`);
  const open = (n) => `#/history/${n}${asQuery(c)}`;
  const all = ["", t("any")];

  const controls = {
    range: select(Object.keys(RANGES).map((k) => [k, t(`range.${k}`)]), c.range),
    task: select([all, ...TASKS.map((k) => [k, t(`task.${k}`)])], c.task),
    origin: select([all, ...ORIGINS.map((k) => [k, t(`origin.${k}`)])], c.origin),
    status: select([all, ...Object.keys(STATUS).map((k) => [k, t(`status.${k}`)])], c.status),
    generator: input({ value: c.generator, list: "generators-known", placeholder: t("any") }),
    q: input({ type: "search", value: c.q, placeholder: t("search.hint") }),
  };
  for (const [key, control] of Object.entries(controls)) control.addEventListener("change", () => go({ [key]: control.value }));
  const form = el("form", { class: "filters", role: "search", "aria-label": t("filters"), onsubmit: (e) => { e.preventDefault(); go({ q: controls.q.value, generator: controls.generator.value }); } },
    field(t("search"), controls.q), field(t("range"), controls.range), field(t("task"), controls.task), field(t("origin"), controls.origin), field(t("generator"), controls.generator), field(t("status"), controls.status), generators,
    el("button", { type: "submit", class: "unseen" }, t("search")));

  const nothing = () => {
    if (["task", "origin", "generator", "status", "q"].some((k) => c[k])) {
      return empty("search", t("none.match"), t("none.match.text"), button(t("clear"), { onclick: () => ctx.navigate("history?range=all") }));
    }
    const timed = c.range !== "all";
    return empty("history", t(timed ? "none.range" : "none.title"), t("none.text"), el("a", { class: "button", href: "#/play" }, t("try")),
      timed ? el("a", { class: "button", href: "#/history?range=all" }, t("all.time")) : null);
  };

  const drawList = (next) => {
    listBox.replaceChildren(rows.length ? list(ctx, rows, open, id) : nothing());
    pager.replaceChildren(
      c.before ? el("a", { class: "button small", href: `#/history${asQuery({ ...c, before: "" })}` }, t("newest")) : "",
      next && rows.length === PAGE ? el("a", { class: "button small", href: `#/history${asQuery({ ...c, before: next })}` }, t("older"), icon("chevron")) : "");
  };

  // What came in since the list was read: shown when asked for, so that nothing moves under the pointer.
  let fresh = 0;
  const news = button("", { icon: "reload", kind: "small", hidden: true, onclick: () => (c.before ? go({}) : load()) });
  const count = (r) => {
    if (!r.done) return;
    fresh++;
    news.hidden = false;
    news.querySelector("span").textContent = t("news", { n: fresh });
  };

  let next = null;
  const load = async () => {
    fresh = 0;
    news.hidden = true;
    if (aborting) aborting.abort();
    aborting = new AbortController();
    const { signal } = aborting;
    listBox.setAttribute("aria-busy", "true");
    try {
      const [found] = await Promise.all([ctx.api(listPath(c), { signal }), c.before ? null : drawn.load(c, signal)]);
      rows = found.requests;
      next = found.next_before_id;
      drawList(next);
      for (const name of new Set(rows.map((r) => r.generator).filter(Boolean))) {
        if (![...generators.options].some((o) => o.value === name)) generators.append(el("option", { value: name }));
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      listBox.replaceChildren(notice("bad", error.message, el("div", { class: "actions" }, button(t("again"), { kind: "small", onclick: load }))));
    }
    listBox.removeAttribute("aria-busy");
  };

  const drawPanel = (focus) => {
    if (panel) panel.destroy();
    panel = null;
    panelBox.hidden = !id;
    root.classList.toggle("with-panel", Boolean(id));
    for (const row of listBox.querySelectorAll("tbody tr")) row.classList.toggle("open", Boolean(id) && row.querySelector(`[data-id="${CSS.escape(id)}"]`) !== null);
    if (!id) { panelBox.replaceChildren(); return; }
    panel = requestPanel(ctx, id, `#/history${asQuery(c)}`, strings);
    panelBox.replaceChildren(panel.node);
    if (focus) panel.focus();
  };

  const split = el("div", { class: "history-split" },
    card(t("list"), { id: "requests", aside: news }, listBox, pager), panelBox);
  const off = ctx.events.on("request", count);
  const onKey = (e) => {
    if (e.key !== "Escape" || !id) return;
    const was = id;
    ctx.navigate(`history${asQuery(c)}`);
    setTimeout(() => { const a = listBox.querySelector(`[data-id="${CSS.escape(was)}"]`); if (a) a.focus(); });
  };
  root.addEventListener("keydown", onKey);
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")))),
    el("section", { class: "card strip", "aria-label": t("filters") }, form), drawn.node, split);

  const show = (focus) => {
    const wanted = asQuery(c);
    if (wanted !== loaded || !focus) {
      loaded = wanted;
      for (const [key, control] of Object.entries(controls)) if (control !== document.activeElement) control.value = c[key];
      load();
    }
    drawPanel(focus);
  };
  show(false);
  if (panel) panel.focus();
  return {
    update: (args, query) => { c = chosen(query); id = args[0] || ""; show(true); },
    unmount: () => { off(); if (aborting) aborting.abort(); drawn.destroy(); if (panel) panel.destroy(); },
  };
}

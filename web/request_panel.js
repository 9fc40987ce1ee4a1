// One request: who asked what, the generators it went to with their calls, the score, the answer.
import { el, icon, button, badge, dot, notice, copy, save } from "./ui.js";

const STRINGS = {
  en: {
    request: "Request {id}", from: "Asked by", received: "Received", took: "Took", limit: "Time given", model: "Model", seed: "Seed", structure: "Structure", technical: "Technical", of: "{a} of {b}", way: "Which way it went", answer: "The answer", none: "There is no answer.", "not.kept": "The answer had {n}, too long to be kept.",
    idea: "The request", json: "As JSON", copy: "Copy", save: "Save", close: "Close", story: "Read the story", why: "Why not answered", account: "account", hedged: "asked beside the one before", repair: "repair of parts", tokens: "{p} read, {c} from the cache, {g} written", cost: "${n}", start: "after {s}",
    "outcome.answered": "answered", "outcome.failed": "failed", "outcome.skipped": "skipped", "kind.info": "What the validator was told",
  },
  zh: {
    request: "请求 {id}", from: "来自", received: "收到", took: "用时", limit: "限时", model: "模型", seed: "种子", structure: "结构分", technical: "技术分", of: "{a} / {b}", way: "经过", answer: "回答", none: "没有回答。", "not.kept": "回答有 {n}，太长而未保留。",
    idea: "请求内容", json: "JSON", copy: "复制", save: "保存", close: "关闭", story: "阅读故事", why: "未回答的原因", account: "账户", hedged: "与前一个同时询问", repair: "修补部分内容", tokens: "读入 {p}，缓存 {c}，写出 {g}", cost: "${n}", start: "{s}后",
    "outcome.answered": "已回答", "outcome.failed": "失败", "outcome.skipped": "跳过", "kind.info": "告知验证者的信息",
  },
};

const pair = (k, v) => (v === null || v === undefined || v === "" ? null : el("div", null, el("dt", null, k), el("dd", null, v)));

/** Reads any answer as text: names become headings, lists lists. */
function reading(value, depth = 0) {
  if (value === null || typeof value !== "object") {
    return el("div", { class: "prose" }, String(value).split(/\n+/).filter(Boolean).map((p) => el("p", null, p)));
  }
  if (Array.isArray(value)) {
    return value.every((v) => typeof v !== "object") ? el("p", null, value.join(" · ")) : el("ol", { class: "reading-list" }, value.map((v) => el("li", null, reading(v, depth + 1))));
  }
  return el("dl", { class: "reading" }, Object.entries(value).map(([k, v]) => el("div", null, el("dt", null, k.replace(/_/g, " ")), el("dd", null, reading(v, depth + 1)))));
}

function step(tr, f, s) {
  const tone = s.outcome === "answered" ? "good" : s.outcome === "failed" ? "bad" : "";
  const calls = (s.attempts || []).map((a) => el("li", null,
    el("span", { class: "number" }, tr("start", { s: f.seconds(a.started_ms / 1000) })), " · ", f.seconds(a.took_ms / 1000), " · ", a.code, a.reason ? `: ${a.reason}` : "", a.repair ? ` · ${tr("repair")}` : "",
    a.generated_tokens || a.prompt_tokens ? el("span", { class: "soft" }, ` · ${tr("tokens", { p: f.number(a.prompt_tokens), c: f.number(a.cached_tokens), g: f.number(a.generated_tokens) })}`) : null,
    a.cost_usd > 0 ? el("span", { class: "soft" }, ` · ${tr("cost", { n: f.number(a.cost_usd, 4) })}`) : null));
  return el("li", { class: `step ${tone}` }, el("div", { class: "step-head" }, dot(tone), el("strong", null, s.hop), s.kind !== s.hop ? badge(s.kind) : null, el("span", { class: `${tone}-text` }, tr(`outcome.${s.outcome}`)),
    el("span", { class: "soft step-time" }, s.took_ms ? f.seconds(s.took_ms / 1000) : "")),
  s.reason ? el("p", { class: "step-reason" }, s.reason) : null,
  s.account ? el("p", { class: "soft small" }, `${tr("account")} ${s.account}`) : null, s.hedged ? el("p", { class: "soft small" }, tr("hedged")) : null,
  calls.length > 1 || (calls.length && (s.attempts[0].generated_tokens || s.attempts[0].cost_usd)) ? el("ul", { class: "calls" }, calls) : null);
}

function body(ctx, tr, r, said) {
  const { format: f } = ctx, output = r.answer && r.answer.output;
  const text = output ? JSON.stringify(output, null, 2) : "";
  const story = /^\d+$/.test(r.story_id || "") ? r.story_id : null; // the journal's own number of it
  return [
    el("dl", { class: "pairs" },
      pair(tr("received"), f.full(r.time)), pair(tr("from"), el("span", null, said(`origin.${r.origin}`), r.uid !== null && r.uid !== undefined ? ` · UID ${r.uid}` : "", r.hotkey ? el("span", { class: "mono block" }, r.hotkey) : "")),
      pair(tr("took"), f.seconds(r.took_ms / 1000)), pair(tr("limit"), f.seconds(r.deadline_ms / 1000)), pair(tr("model"), r.model),
      pair(tr("structure"), r.structure === null ? null : tr("of", { a: f.number(r.structure, 1), b: 40 })), pair(tr("technical"), r.technical === null ? null : tr("of", { a: f.number(r.technical, 1), b: 30 })), pair(tr("seed"), r.seed === null ? null : String(r.seed))),
    r.message && r.status !== 200 ? notice("bad", el("div", null, el("p", null, el("strong", null, tr("why"))), el("p", null, r.message))) : null,
    r.user_input ? el("section", null, el("h3", null, tr("idea")), el("blockquote", null, r.user_input)) : null,
    (r.steps || []).length ? el("section", null, el("h3", null, tr("way")), el("ol", { class: "steps-list" }, r.steps.map((s) => step(tr, f, s)))) : null,
    el("section", null, el("div", { class: "card-head" }, el("h3", null, tr("answer")),
      output ? el("div", { class: "card-aside" }, story ? el("a", { class: "button small", href: `#/stories/${encodeURIComponent(story)}` }, icon("stories"), tr("story")) : null,
        button(tr("copy"), { icon: "copy", kind: "small", onclick: async () => ctx.toast(await copy(text) ? ctx.t("copied") : ctx.t("copied.not")) }),
        button(tr("save"), { icon: "download", kind: "small", onclick: () => save(`storyfi-${r.id}.json`, text, "application/json") })) : null),
    output ? reading(output) : el("p", { class: "soft" }, r.answer ? tr("not.kept", { n: f.bytes(r.answer.bytes) }) : tr("none")),
    output ? el("details", null, el("summary", null, tr("json")), el("pre", { class: "code", tabindex: "0", "aria-label": tr("json") }, text)) : null,
    r.answer && r.answer.model_info ? el("details", null, el("summary", null, tr("kind.info")), el("pre", { class: "code", tabindex: "0", "aria-label": tr("kind.info") }, JSON.stringify(r.answer.model_info, null, 2))) : null),
  ];
}

/** {node, focus, destroy}; `back` is where closing leads. */
export function requestPanel(ctx, id, back, pageStrings) {
  const strings = STRINGS[ctx.lang], aborting = new AbortController();
  const tr = (key, values) => (strings[key] || key).replace(/\{(\w+)\}/g, (_, n) => (values || {})[n] ?? "");
  const said = (key) => pageStrings[ctx.lang][key] || key.replace(/^.*\./, "");
  const heading = el("h2", { id: "request-title", tabindex: "-1" }, tr("request", { id: `#${id}` }));
  const state = el("span"), content = el("div", { class: "panel-body", "aria-busy": "true" }, el("p", { class: "soft" }, ctx.t("loading")));
  const node = el("section", { class: "card panel", "aria-labelledby": "request-title" },
    el("header", { class: "card-head panel-head" }, el("div", { class: "panel-title" }, heading, state), el("a", { class: "button icon", href: back, title: tr("close"), "aria-label": tr("close") }, icon("close"))), content);
  ctx.api(`/api/requests/${encodeURIComponent(id)}`, { signal: aborting.signal }).then((r) => {
    heading.textContent = `${said(`task.${r.task}`)} #${r.id}`;
    state.replaceChildren(r.status === 200 ? badge(said("status.ok"), "good") : badge(String(r.status), r.status >= 500 || r.status === 408 ? "bad" : "look"));
    content.replaceChildren(...body(ctx, tr, r, said).filter(Boolean));
  }, (error) => { if (error.name !== "AbortError") content.replaceChildren(notice("bad", error.message)); })
    .finally(() => content.removeAttribute("aria-busy"));
  return { node, focus: () => heading.focus(), destroy: () => aborting.abort() };
}

// The generators that a request went to, in order: what became of each.
import { el, icon } from "./ui.js";

const MARKS = { answered: ["good", "check"], ok: ["good", "check"], failed: ["bad", "fail"], asked: ["busy", null], skipped: ["off", null], waiting: ["off", null] };
const WORDS = {
  en: { answered: "answered", failed: "failed", asked: "writing", skipped: "skipped", waiting: "not asked" },
  zh: { answered: "已回答", failed: "失败", asked: "正在写", skipped: "跳过", waiting: "未询问" },
};

export const hopText = (lang, state) => WORDS[lang][state] || state;

/** hops: [{name, state, reason, s}] */
export function hopTrail({ lang, format }, hops) {
  return el("ol", { class: "trail" }, hops.map((h) => {
    const [tone, mark] = MARKS[h.state] || ["off", null];
    return el("li", { class: `hop ${tone}`, title: h.reason || null }, mark ? icon(mark) : null, el("span", null, h.name),
      el("span", { class: "unseen" }, ` ${hopText(lang, h.state)}`), h.s > 0 && h.state !== "waiting" ? el("span", { class: "hop-time" }, format.seconds(h.s)) : null,
      h.reason && h.state === "failed" ? el("span", { class: "hop-reason" }, h.reason) : null);
  }));
}

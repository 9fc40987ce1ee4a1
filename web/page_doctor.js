// The checks of `storyfi doctor`, run from here; each line as it comes, what to do beside a failure.
import { el, icon, button, badge, card, empty, notice, tick, copy } from "./ui.js";

export const strings = {
  en: {
    title: "Doctor", lead: "Checks the configuration, the generators and this machine, and says what to do.", run: "Run the checks", again: "Run again", stop: "Stop", network: "Also ask the network",
    "network.hint": "Chain, registration, and whether the axon's port can be reached from outside.", copy: "Copy as text", running: "Checking…", "state.ok": "in order", "state.look": "have a look", "state.failed": "failed",
    good: "Everything is in order.", bad: "{n} failed: what to do stands beside.", look: "In order, with {n} to look at.", remedy: "What to do", "none.title": "How is your miner?", "none.text": "The checks take a few seconds and change nothing. A generator that costs money is not asked to write.", stopped: "Stopped.", broke: "The checks ended early: {why}", only: "Only what needs attention", results: "Results",
    "area.configuration": "Configuration", "area.machine": "This machine", "area.wallet": "Wallet", "area.network": "Network", "area.generator": "Generator {name}",
  },
  zh: {
    title: "诊断", lead: "检查配置、生成器和这台机器，并说明该怎么做。", run: "开始检查", again: "重新检查", stop: "停止", network: "同时检查网络",
    "network.hint": "链、注册情况，以及外部能否访问 axon 端口。", copy: "复制为文本", running: "正在检查…", "state.ok": "正常", "state.look": "请留意", "state.failed": "失败",
    good: "一切正常。", bad: "{n} 项失败：旁边写着该怎么做。", look: "正常，有 {n} 项请留意。", remedy: "该怎么做", "none.title": "你的矿工还好吗？", "none.text": "检查只需几秒，不会改变任何东西。收费的生成器不会被要求写作。", stopped: "已停止。", broke: "检查提前结束：{why}", only: "只看需要处理的", results: "结果",
    "area.configuration": "配置", "area.machine": "这台机器", "area.wallet": "钱包", "area.network": "网络", "area.generator": "生成器 {name}",
  },
};

const TONES = { ok: ["good", "check"], look: ["look", "warn"], failed: ["bad", "fail"] };

/** The miner's name of a part, in the page's language where it is known. */
const areaName = (t, title) => {
  const generator = title.match(/^generator (.*)$/);
  if (generator) return t("area.generator", { name: generator[1] });
  return t(`area.${title}`) === `area.${title}` ? title : t(`area.${title}`);
};

const asText = (sections, t) => sections.map((s) => [s.title, ...s.checks.map((c) =>
  `  [${t(`state.${c.state}`)}] ${c.name}: ${c.text}${c.remedy ? `\n      → ${c.remedy}` : ""}`)].join("\n")).join("\n\n");

function checkRow(t, c) {
  const [tone, mark] = TONES[c.state] || TONES.look;
  return el("li", { class: `check ${tone}`, "data-state": c.state }, icon(mark), el("div", null,
    el("p", null, el("strong", null, c.name), el("span", { class: "unseen" }, ` ${t(`state.${c.state}`)}: `), el("span", { class: "check-text" }, c.text)),
    c.remedy ? el("p", { class: "remedy" }, el("span", { class: "remedy-word" }, t("remedy")), c.remedy) : null));
}

export function mount(root, ctx) {
  const { t } = ctx;
  let aborting = null, sections = [];
  const results = el("div", { class: "doctor-results" }), verdict = el("div", { role: "status", class: "notices" });
  const network = tick(t("network"), { id: "doctor-network" });
  const only = tick(t("only"), { onchange: (e) => results.classList.toggle("only-open", e.target.checked) });
  const copying = button(t("copy"), { icon: "copy", onclick: async () => ctx.toast(await copy(asText(sections, t)) ? t("copied") : t("copied.not")) });
  const running = button(t("run"), { icon: "doctor", kind: "primary", id: "doctor-run", onclick: () => (aborting ? aborting.abort() : run()) });
  const say = (text) => { running.querySelector("span").textContent = text; };
  const tools = el("div", { class: "actions doctor-tools", hidden: true }, only, copying);

  const start = () => {
    sections = [];
    results.replaceChildren();
    verdict.replaceChildren(el("p", { class: "soft running" }, el("span", { class: "pulse", "aria-hidden": "true" }), t("running")));
    tools.hidden = true;
    say(t("stop"));
    aborting = new AbortController();
  };
  const section = (title) => {
    const list = el("ul", { class: "checks" });
    sections.push({ title, checks: [], list });
    results.append(card(areaName(t, title), {}, list));
  };
  const on = (type, data) => {
    if (type === "section") section(data.title);
    else if (type === "check") {
      if (!sections.length) section(t("results"));
      const last = sections[sections.length - 1];
      last.checks.push(data);
      last.list.append(checkRow(t, data));
    } else if (type === "done") {
      const looks = sections.flatMap((s) => s.checks).filter((c) => c.state === "look").length;
      verdict.replaceChildren(data.failed ? notice("bad", t("bad", { n: data.failed })) : looks ? notice("look", t("look", { n: looks })) : el("div", { class: "notice good" }, icon("check"), el("p", null, t("good"))));
    }
  };
  const run = async () => {
    start();
    try {
      await ctx.stream("/api/doctor", { network: network.querySelector("input").checked }, on, aborting.signal);
    } catch (error) {
      verdict.replaceChildren(error.name === "AbortError" ? el("p", { class: "soft" }, t("stopped")) : notice("bad", t("broke", { why: error.message })));
    }
    aborting = null;
    say(t("again"));
    tools.hidden = sections.length === 0;
  };

  results.append(card(t("title"), { class: "bare" }, empty("doctor", t("none.title"), t("none.text"))));
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")))),
    el("section", { class: "card strip doctor-start", "aria-label": t("run") }, el("div", null, network, el("p", { class: "hint" }, t("network.hint"))), el("div", { class: "actions" }, tools, running)),
    verdict, results);
  return () => { if (aborting) aborting.abort(); };
}

// What an owner wants to see at a glance: does it earn, who answers, what is being answered.
import { el, icon, badge, dot, card, empty, notice, figure } from "./ui.js";
import { sparkline } from "./charts.js";
import { hopTrail } from "./hops.js";

const BLOCK_S = 12;
const KEPT = 6; // answered requests that stay in sight

export const strings = {
  en: {
    title: "Now", up: "Up {time}", listens: "listens on {at}",
    "ready.yes": "Answering", "ready.no": "Cannot answer",
    earns: "Does it earn?", "earns.yes": "Yes, it earns", "earns.no": "Not at the moment", "earns.unknown": "Not known yet", "earns.offline": "Not on a subnet",
    "earns.offline.text": "This miner runs offline: no validator knows of it, and nothing is earned. Start it with --netuid and a registered hotkey to go on the network.",
    emission: "Emission", "emission.note": "in the last epoch", incentive: "Incentive", "incentive.note": "of the subnet", place: "Place", "place.of": "of {n} miners",
    immunity: "Immunity left", "immunity.none": "over", "immunity.blocks": "{n} blocks", stake: "Stake", spark: "Emission over the last {span}, from {low} to {high}", "spark.title": "Emission over the last {span}",
    mult: "Answers by multiplier", "mult.lead": "The last hour. The generator decides what an answer is worth.", "mult.none": "No answer in the last hour.", "mult.1.5": "local, vllm", "mult.1.0": "custom", "mult.0.5": "api",
    answers: "Answers", "answers.note": "since the start", flight: "In flight", queue: "Queue", "queue.of": "of {n}", speed: "Speed", "speed.unit": "tokens per second", typical: "Typical answer", "typical.note": "median, last hour", margin: "Deadline margin", "margin.note": "95 % have more left",
    generators: "Generators", "generators.lead": "In the order in which they are asked.", "generators.none": "No generator is configured", "generators.none.text": "Without one nothing can be answered. Choose a model, or name a generator in the configuration.",
    worth: "×{n}", share: "success", median: "median", today: "last 24 h", "today.text": "{a} answered, {f} failed", cost: "cost", back: "asked again in {time}", breaker: "breaker open", "last.error": "Last failure {ago} ago: {text}",
    "use.ready": "Ready", "use.trial": "On trial", "use.resting": "Resting", "use.benched": "Benched", "use.refused": "Refused", "use.account": "Account limit", "use.starting": "Starting", "use.degraded": "Degraded", "use.down": "Down",
    requests: "Requests in flight", "requests.lead": "Each with the generators it went to.", "requests.none": "Nothing is being written right now", "requests.none.text": "Validators ask every few seconds once the miner is announced. To see one at work, write a story yourself.",
    "requests.done": "Just answered", try: "Open the playground", "of.deadline": "{a} of {b}", tokens: "{n} tokens", waiting: "in the queue",
    "model.get": "Choose a model", "run.doctor": "Run the doctor", "see.config": "See the configuration",
    "bad.none": "No generator can answer: every request is refused until one can.", "bad.journal": "The journal is not being written: {why}", "bad.door": "Who may ask: {text}",
    "task.blueprint": "Blueprint", "task.characters": "Characters", "task.story_arc": "Story arc", "task.chapters": "Chapters", "origin.validator": "validator", "origin.playground": "playground", "origin.cli": "command line", "origin.serve": "serve",
    machine: "This miner", chain: "Chain", "chain.block": "block {n}, seen {ago} ago", "chain.off": "not reached", announced: "Announced", "announced.none": "not yet", callers: "Callers", journal: "Journal", "journal.on": "{n} requests written", "journal.off": "off", config: "Configuration", "config.none": "built-in defaults",
    pulling: "Downloading {name}", download: "Download",
    "step.generator": "A generator that can answer", "step.generator.text": "A model on this machine is worth most: ×1.5.",
    "step.chain": "A registered hotkey", "step.chain.text": "btcli subnet register, then start the miner with --netuid.",
    "step.announced": "An address that validators can reach", "step.announced.text": "The miner announces it when it starts on the network; its port must be open.",
    "step.answer": "The first answer", "step.answer.text": "Validators ask within minutes. Do not want to wait?", "step.done": "done", "step.open": "to do",
  },
  zh: {
    title: "当前", up: "已运行 {time}", listens: "监听 {at}",
    "ready.yes": "正常应答", "ready.no": "无法应答",
    earns: "有收益吗？", "earns.yes": "有收益", "earns.no": "目前没有", "earns.unknown": "尚不清楚", "earns.offline": "不在子网上",
    "earns.offline.text": "这台矿工以离线方式运行：没有验证者知道它，也没有收益。使用 --netuid 和已注册的热键启动即可上网。",
    emission: "产出", "emission.note": "上一周期", incentive: "激励", "incentive.note": "占子网", place: "名次", "place.of": "共 {n} 台矿工",
    immunity: "剩余保护期", "immunity.none": "已结束", "immunity.blocks": "{n} 个区块", stake: "质押", spark: "最近{span}的产出，从 {low} 到 {high}", "spark.title": "最近{span}的产出",
    mult: "按倍率统计的回答", "mult.lead": "最近一小时。一份回答的价值取决于生成器。", "mult.none": "最近一小时没有回答。", "mult.1.5": "local、vllm", "mult.1.0": "custom", "mult.0.5": "api",
    answers: "回答", "answers.note": "启动以来", flight: "进行中", queue: "队列", "queue.of": "容量 {n}", speed: "速度", "speed.unit": "词元/秒", typical: "常见用时", "typical.note": "最近一小时的中位数", margin: "距截止余量", "margin.note": "95 % 的回答更宽裕",
    generators: "生成器", "generators.lead": "按询问的先后排列。", "generators.none": "没有配置生成器", "generators.none.text": "没有生成器就无法应答。请选择一个模型，或在配置中指定生成器。",
    worth: "×{n}", share: "成功率", median: "中位数", today: "最近 24 小时", "today.text": "成功 {a}，失败 {f}", cost: "费用", back: "{time}后再次询问", breaker: "已熔断", "last.error": "{ago}前最近一次失败：{text}",
    "use.ready": "就绪", "use.trial": "试用中", "use.resting": "休息中", "use.benched": "停用", "use.refused": "被拒绝", "use.account": "账户限额", "use.starting": "启动中", "use.degraded": "受损", "use.down": "故障",
    requests: "进行中的请求", "requests.lead": "以及各自经过的生成器。", "requests.none": "现在没有正在写的内容", "requests.none.text": "矿工公布地址后，验证者每隔几秒就会询问。想看它工作，可以自己写一个故事。",
    "requests.done": "刚刚完成", try: "打开试写", "of.deadline": "{a} / {b}", tokens: "{n} 词元", waiting: "排队中",
    "model.get": "选择模型", "run.doctor": "运行诊断", "see.config": "查看配置",
    "bad.none": "没有生成器可以应答：在恢复之前所有请求都会被拒绝。", "bad.journal": "日志未能写入：{why}", "bad.door": "谁可以询问：{text}",
    "task.blueprint": "蓝图", "task.characters": "人物", "task.story_arc": "故事弧", "task.chapters": "章节", "origin.validator": "验证者", "origin.playground": "试写", "origin.cli": "命令行", "origin.serve": "serve",
    machine: "这台矿工", chain: "链", "chain.block": "区块 {n}，{ago}前", "chain.off": "未连上", announced: "公布地址", "announced.none": "尚未公布", callers: "询问者", journal: "日志", "journal.on": "已写入 {n} 个请求", "journal.off": "关闭", config: "配置", "config.none": "内置默认值",
    pulling: "正在下载 {name}", download: "下载",
    "step.generator": "一个可以应答的生成器", "step.generator.text": "本机上的模型最值钱：×1.5。",
    "step.chain": "已注册的热键", "step.chain.text": "先执行 btcli subnet register，再用 --netuid 启动矿工。",
    "step.announced": "验证者可以访问的地址", "step.announced.text": "矿工上网启动时会公布它；端口必须开放。",
    "step.answer": "第一份回答", "step.answer.text": "验证者几分钟内就会询问。不想等？", "step.done": "已完成", "step.open": "待办",
  },
};

const TONES = { ready: "good", trial: "look", starting: "accent", degraded: "look", resting: "bad", benched: "bad", refused: "bad", account: "look", down: "bad" };

// ---- does it earn --------------------------------------------------------------------------------

function earning(ctx, status) {
  const { t, format: f } = ctx, n = status.network;
  if (!n) return { tone: "", word: t("earns.offline"), text: t("earns.offline.text"), figures: [] };
  const word = n.earns === true ? t("earns.yes") : n.earns === false ? t("earns.no") : t("earns.unknown");
  const left = n.immunity_left_blocks;
  return {
    tone: n.earns === true ? "good" : n.earns === false ? "look" : "", word,
    // The figures say a yes; what stands in the way of one only the miner knows.
    text: n.earns === true ? "" : (n.earning || "").replace(/^(yes|no|not yet|not known yet): /, "").replace(/^./, (c) => c.toUpperCase()),
    figures: [
      figure(t("emission"), f.tokens(n.emission), t("emission.note")),
      figure(t("incentive"), f.share(n.incentive, 2), t("incentive.note")),
      figure(t("place"), f.number(n.position), n.miners ? t("place.of", { n: f.number(n.miners) }) : null),
      figure(t("immunity"), left === 0 ? t("immunity.none") : left ? f.seconds(left * BLOCK_S) : f.NONE, left > 0 ? t("immunity.blocks", { n: f.number(left) }) : null, left > 0 && left < 600 ? "look" : ""),
    ],
  };
}

/** The way from an empty machine to the first answer; shown until it is gone. */
function steps(ctx, s) {
  const { t } = ctx, n = s.network;
  const able = s.generators.some((g) => g.can_answer);
  const list = [
    [able, "step.generator", able ? null : el("a", { href: "#/models" }, t("model.get"))],
    [Boolean(n && n.registered), "step.chain", null],
    [Boolean(n && n.axon_announced), "step.announced", null],
    [s.requests > 0, "step.answer", s.requests > 0 ? null : el("a", { href: "#/play" }, t("try"))],
  ];
  if (list.every(([done]) => done)) return [];
  return list.map(([done, key, action]) => el("li", { class: done ? "done" : null }, el("span", { class: "step-mark" }, done ? icon("check") : null),
    el("div", null, el("p", null, el("strong", null, t(key)), el("span", { class: "unseen" }, ` (${t(done ? "step.done" : "step.open")})`)), done ? null : el("p", { class: "soft" }, t(`${key}.text`), " ", action))));
}

function earnCard(ctx) {
  const { t } = ctx;
  const word = el("p", { class: "verdict" }), text = el("p", { class: "lead" }), list = el("dl", { class: "figures" }), way = el("ol", { class: "steps" });
  const spark = sparkline(t("emission")), sparkTitle = el("p", { class: "spark-title" });
  const sparkBox = el("div", { class: "spark", hidden: true }, sparkTitle, spark ? spark.node : null);
  const node = card(t("earns"), { id: "earning", class: "w8" }, word, text, list, way, sparkBox);
  const loadSpark = async () => {
    if (!spark) return;
    const since = Math.floor(Date.now() / 1000) - 7 * 86400;
    const { standings } = await ctx.api(`/api/standings?since=${since}`);
    const points = standings.filter((s) => s.emission_rao !== null).reverse();
    sparkBox.hidden = points.length < 2;
    if (points.length < 2) return;
    const times = points.map((s) => s.wall_ns / 1e9), values = points.map((s) => s.emission_rao / 1e9);
    const span = ctx.format.seconds(Math.round(times[times.length - 1] - times[0]));
    sparkTitle.textContent = t("spark.title", { span });
    spark.label(t("spark", { span, low: ctx.format.tokens(Math.min(...values)), high: ctx.format.tokens(Math.max(...values)) }));
    spark.set([times, values]);
  };
  loadSpark().catch(() => {});
  const again = setInterval(() => loadSpark().catch(() => {}), 300000);
  return {
    node,
    update: (status) => {
      const e = earning(ctx, status);
      word.replaceChildren(dot(e.tone), e.word);
      word.className = `verdict ${e.tone}`;
      text.textContent = e.text;
      list.hidden = e.figures.length === 0;
      text.hidden = e.text === "";
      list.replaceChildren(...e.figures);
      const todo = steps(ctx, status);
      way.hidden = todo.length === 0;
      way.replaceChildren(...todo);
    },
    destroy: () => { clearInterval(again); if (spark) spark.destroy(); },
  };
}

function multiplierCard(ctx) {
  const { t, format: f } = ctx;
  const bar = el("div", { class: "split", "aria-hidden": "true" }), list = el("ul", { class: "split-list" });
  const node = card(t("mult"), { id: "multiplier", class: "w4", lead: t("mult.lead") }, bar, list);
  return {
    node,
    update: (status) => {
      const by = (status.rates || {}).by_multiplier || {};
      const rows = ["1.5", "1.0", "0.5"].map((m) => ({ m, n: by[m] || 0 }));
      const sum = rows.reduce((a, r) => a + r.n, 0);
      bar.hidden = sum === 0;
      bar.replaceChildren(...rows.filter((r) => r.n > 0).map((r) => el("span", { class: `part m${r.m.replace(".", "")}`, style: { "flex-grow": r.n } })));
      list.replaceChildren(...rows.map((r) => el("li", null, el("span", { class: `swatch m${r.m.replace(".", "")}`, "aria-hidden": "true" }),
        el("span", { class: "split-name" }, t("worth", { n: r.m }), el("span", { class: "soft" }, t(`mult.${r.m}`))),
        el("span", { class: "split-value" }, f.number(r.n), el("span", { class: "soft" }, sum ? f.share(r.n / sum) : "")))),
      sum === 0 ? el("li", { class: "soft" }, t("mult.none")) : "");
    },
  };
}

// ---- figures -------------------------------------------------------------------------------------

function strip(ctx) {
  const { t, format: f } = ctx;
  const list = el("dl", { class: "figures" });
  return {
    node: el("section", { class: "card strip", id: "figures", "aria-label": t("title") }, list),
    update: (s) => {
      const r = s.rates || {}, margin = r.deadline_margin_p5_seconds;
      const full = s.queue.size > 0 && s.queue.depth / s.queue.size;
      list.replaceChildren(
        figure(t("answers"), f.number(r.answers_total ?? s.requests), t("answers.note")),
        figure(t("flight"), f.number(s.queue.in_flight), null, s.queue.in_flight ? "busy" : ""),
        figure(t("queue"), f.number(s.queue.depth), t("queue.of", { n: f.number(s.queue.size) }), full > 0.9 ? "bad" : full > 0.5 ? "look" : ""),
        figure(t("speed"), f.number(r.tokens_per_second, r.tokens_per_second < 10 ? 1 : 0), t("speed.unit")),
        figure(t("typical"), f.seconds(r.p50_seconds), t("typical.note")),
        figure(t("margin"), f.seconds(margin), t("margin.note"), margin === null || margin === undefined ? "" : margin < 0 ? "bad" : margin < 5 ? "look" : ""));
    },
  };
}

// ---- generators ----------------------------------------------------------------------------------

function generatorRow(ctx, g) {
  const { t, format: f } = ctx;
  const tone = TONES[g.use] || (g.can_answer ? "good" : "bad");
  const day = g.last_24h || {};
  const facts = [
    [t("share"), f.share(g.success_share, 1)],
    [t("median"), f.seconds(g.p50_seconds)],
    [t("today"), g.last_24h ? t("today.text", { a: f.number(day.answers), f: f.number(day.failures) }) : f.NONE],
    day.cost_usd > 0 ? [t("cost"), `$${f.number(day.cost_usd, 2)}`] : null,
  ].filter(Boolean);
  const quiet = g.can_answer && g.last_error && g.last_error_age_seconds < 3600;
  return el("li", { class: `generator ${tone}`, "data-name": g.name, "data-use": g.use },
    el("div", { class: "generator-main" },
      el("div", { class: "generator-title" }, dot(tone), el("h3", null, g.name), g.kind !== g.name ? badge(g.kind) : null, badge(t("worth", { n: Number(g.multiplier).toFixed(1) }), "accent"),
        el("span", { class: `state ${tone}-text` }, t(`use.${g.use}`)), g.breaker_open ? badge(t("breaker"), "bad") : null),
      g.target ? el("p", { class: "generator-target soft" }, g.target) : null,
      g.reason ? el("p", { class: "generator-reason" }, g.reason) : null,
      g.out_for_seconds ? el("p", { class: "soft small" }, t("back", { time: f.seconds(g.out_for_seconds) })) : null,
      quiet ? el("p", { class: "soft small" }, t("last.error", { ago: f.seconds(g.last_error_age_seconds), text: g.last_error })) : null),
    el("dl", { class: "facts" }, facts.map(([k, v]) => el("div", null, el("dt", null, k), el("dd", null, v)))));
}

function generatorCard(ctx) {
  const { t } = ctx;
  const list = el("ol", { class: "generators" }), none = empty("models", t("generators.none"), t("generators.none.text"),
    el("a", { class: "button primary", href: "#/models" }, t("model.get")), el("a", { class: "button", href: "#/config" }, t("see.config")));
  let shown = "";
  return {
    node: card(t("generators"), { id: "generators", lead: t("generators.lead") }, list, none),
    update: (s) => {
      const key = JSON.stringify(s.generators);
      none.hidden = s.generators.length > 0;
      if (key === shown) return;
      shown = key;
      list.replaceChildren(...s.generators.map((g) => generatorRow(ctx, g)));
    },
  };
}

// ---- requests ------------------------------------------------------------------------------------

const known = (t, key, text) => (t(key) === key ? text : t(key));

function requestRow(ctx, r) {
  const { t, format: f } = ctx;
  const took = el("span", { class: "took" }), bar = el("progress", { max: r.deadline_s || 60, value: 0, "aria-label": t("of.deadline", { a: "", b: f.seconds(r.deadline_s) }) });
  const answered = r.done && r.status === 200;
  const hops = (r.hops || []).filter((h) => !r.done || h.state !== "waiting");
  const node = el("li", { class: `request ${r.done ? (answered ? "good" : "bad") : "busy"}`, "data-id": r.id },
    el("div", { class: "request-head" },
      el("span", { class: "request-task" }, r.done ? icon(answered ? "check" : "fail") : el("span", { class: "pulse", "aria-hidden": "true" }), known(t, `task.${r.task}`, r.task || f.NONE)),
      el("span", { class: "soft" }, known(t, `origin.${r.origin}`, r.origin), r.caller ? el("span", { class: "mono", title: r.caller }, ` ${f.short(r.caller)}`) : ""),
      el("span", { class: "request-right" }, took,
        r.done ? el("a", { href: `#/history/${r.id}`, "aria-label": `${t("history")} ${r.id}` }, `#${r.id}`) : null)),
    el("div", { class: "request-way" }, hops.length ? hopTrail(ctx, hops) : null, r.tokens ? el("span", { class: "soft small" }, t("tokens", { n: f.number(r.tokens) })) : null),
    r.done ? null : bar);
  const ended = r.done ? r.ended - r.started : null;
  const tick = () => {
    const s = ended ?? Math.max(0, Date.now() / 1000 - r.started + (r.skew || 0));
    took.textContent = r.done ? f.seconds(s) : t("of.deadline", { a: f.seconds(Math.round(s)), b: f.seconds(r.deadline_s) });
    bar.value = Math.min(s, bar.max);
    bar.className = s > bar.max * 0.8 ? "bad" : s > bar.max * 0.5 ? "look" : "";
  };
  tick();
  return { node, tick };
}

function requestCard(ctx) {
  const { t } = ctx;
  const list = el("ul", { class: "requests" }), done = el("ul", { class: "requests done" });
  const doneBox = el("div", { class: "done-box", hidden: true }, el("h3", null, t("requests.done")), done);
  const none = empty("play", t("requests.none"), t("requests.none.text"), el("a", { class: "button", href: "#/play" }, t("try")));
  const flying = new Map();
  let rows = [], answered = [];
  const draw = () => {
    const all = [...flying.values()].sort((a, b) => a.started - b.started);
    rows = all.map((r) => requestRow(ctx, r));
    list.replaceChildren(...rows.map((r) => r.node));
    none.hidden = all.length > 0 || answered.length > 0;
    doneBox.hidden = answered.length === 0;
    done.replaceChildren(...answered.map((r) => requestRow(ctx, r).node));
  };
  const clock = setInterval(() => rows.forEach((r) => r.tick()), 500);
  draw();
  return {
    node: card(t("requests"), { id: "requests", lead: t("requests.lead") }, list, none, doneBox),
    update: (s) => { // the list is the truth; single requests come in between
      if (!s.in_flight) return;
      const ids = new Set(s.in_flight.map((r) => r.id));
      for (const id of [...flying.keys()]) if (!ids.has(id)) flying.delete(id);
      for (const r of s.in_flight) if (!flying.has(r.id) && !answered.some((a) => a.id === r.id)) flying.set(r.id, r);
      draw();
    },
    request: (r) => {
      if (r.done) {
        flying.delete(r.id);
        answered = [{ ...r, ended: Date.now() / 1000 }, ...answered.filter((a) => a.id !== r.id)].slice(0, KEPT);
      } else {
        flying.set(r.id, r);
      }
      draw();
    },
    destroy: () => clearInterval(clock),
  };
}

// ---- what wants attention, and the rest ----------------------------------------------------------

function notices(ctx, s) {
  const { t } = ctx, out = [];
  if (!s.ready && !s.generators.some((g) => g.can_answer)) {
    out.push(notice("bad", t("bad.none"), el("div", { class: "actions" }, el("a", { class: "button small", href: "#/doctor" }, t("run.doctor")), el("a", { class: "button small", href: "#/models" }, t("model.get")))));
  }
  if (s.journal && !s.journal.writing) out.push(notice("bad", t("bad.journal", { why: s.journal.reason })));
  if (s.door && s.door.state === "stale") out.push(notice("look", t("bad.door", { text: s.door.text })));
  for (const p of (s.network || {}).problems || []) out.push(notice("look", p));
  return out;
}

/** A model on its way, as long as it is. */
function downloadCard(ctx) {
  const { t, format: f } = ctx;
  const name = el("strong"), figures = el("span", { class: "soft" }), bar = el("progress", { "aria-labelledby": "download-name" });
  const node = el("section", { class: "card strip download", "aria-label": t("download"), hidden: true },
    el("div", { class: "download-head" }, el("span", { id: "download-name" }, name), figures), bar, el("a", { class: "small", href: "#/models" }, t("models")));
  return {
    node,
    update: (s) => {
      const d = s.download;
      node.hidden = !d || !["working", "waiting"].includes(d.state);
      if (node.hidden) return;
      name.textContent = t("pulling", { name: d.name });
      figures.textContent = d.state === "waiting" || !d.total ? d.text : `${f.bytes(d.done)} / ${f.bytes(d.total)}${d.bytes_per_second > 0 ? ` · ${f.bytes(d.bytes_per_second)}/s` : ""}`;
      bar.max = d.total || 1;
      bar.value = d.done;
    },
  };
}

function machineCard(ctx) {
  const { t, format: f } = ctx;
  const list = el("dl", { class: "pairs" });
  return {
    node: card(t("machine"), { id: "machine" }, list),
    update: (s) => {
      const n = s.network, pair = (k, v) => el("div", null, el("dt", null, k), el("dd", null, v));
      list.replaceChildren(
        ...(n ? [pair(t("chain"), n.reached ? `${n.chain || n.endpoint}, ${t("chain.block", { n: f.number(n.block), ago: f.seconds(n.last_look_age_seconds) })}` : t("chain.off")),
          pair(t("announced"), n.axon_announced || t("announced.none")), pair(t("stake"), f.tokens(n.stake))] : []),
        pair(t("callers"), s.door ? s.door.text : f.NONE),
        pair(t("journal"), s.journal ? t("journal.on", { n: f.number(s.journal.written) }) : t("journal.off")),
        pair(t("config"), s.config_path || s.config_file || t("config.none")));
    },
  };
}

export function mount(root, ctx) {
  const { t, format: f, events } = ctx;
  const sub = el("p", { class: "lead" }), chip = el("span"), alerts = el("div", { class: "notices", role: "status" });
  const parts = { earn: earnCard(ctx), mult: multiplierCard(ctx), strip: strip(ctx), gens: generatorCard(ctx), reqs: requestCard(ctx), machine: machineCard(ctx), download: downloadCard(ctx) };
  const body = el("div", { class: "page-body", hidden: true }, alerts, parts.download.node, el("div", { class: "grid" }, parts.earn.node, parts.mult.node), parts.strip.node,
    el("div", { class: "grid" }, el("div", { class: "w7 column" }, parts.gens.node, parts.machine.node), el("div", { class: "w5 column" }, parts.reqs.node)));
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), sub), chip), body);
  let told = "";
  const update = (s) => {
    body.hidden = false;
    sub.textContent = `${t("up", { time: f.seconds(s.uptime_seconds) })} · ${t("listens", { at: `${s.axon.ip}:${s.axon.port}` })}`;
    chip.replaceChildren(badge(t(s.ready ? "ready.yes" : "ready.no"), s.ready ? "good" : "bad"));
    const list = notices(ctx, s), key = list.map((n) => n.textContent).join();
    if (key !== told) alerts.replaceChildren(...list);
    told = key;
    alerts.hidden = list.length === 0;
    for (const p of Object.values(parts)) p.update(s);
  };
  const off = [events.on("status", update), events.on("request", parts.reqs.request)];
  if (events.last.status) update(events.last.status);
  return () => {
    off.forEach((fn) => fn());
    for (const p of Object.values(parts)) if (p.destroy) p.destroy();
  };
}

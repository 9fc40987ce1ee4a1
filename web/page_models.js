// Which models fit this machine, which one is in use, and how another one gets here.
import { el, icon, button, badge, card, table, tick, notice, progress, dialog, empty } from "./ui.js";
import { strings } from "./models_strings.js";

export { strings };

const AGAIN_MS = 1500; // the list is read again at most this often while something changes
const only = { fits: false, zh: false };

export function mount(root, ctx) {
  const page = new Models(root, ctx);
  return () => page.unmount();
}

class Models {
  constructor(root, ctx) {
    Object.assign(this, { root, ctx, t: ctx.t, data: null, rows: null, drawn: "", pull: null, change: null, begun: -Infinity, gone: new AbortController(), timer: 0, offs: [] });
    this.plan = el("div", { class: "models-plan" });
    this.news = el("div", { class: "notices", role: "status" });
    this.list = el("div");
    root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, this.t("title")), el("p", { class: "lead" }, this.t("lead")))), this.plan, this.news, this.list);
    this.offs.push(ctx.events.on("pull", (p) => this.pulled(p)));
    this.offs.push(ctx.events.on("status", (s) => this.status(s)));
    const { status } = ctx.events.last || {};
    if (status && status.download) this.pull = status.download;
    this.load();
  }

  unmount() {
    this.offs.forEach((off) => off());
    clearTimeout(this.timer);
    this.gone.abort();
  }

  async load() {
    try {
      this.data = await this.ctx.api("/api/models", { signal: this.gone.signal });
      if (this.data.model_change) this.changed(this.data.model_change);
      if (this.data.download && !this.pull) this.pull = this.data.download;
      this.draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!this.data) this.list.replaceChildren(notice("bad", error.message, el("div", { class: "actions" }, button(this.t("again"), { kind: "small", icon: "reload", onclick: () => this.load() }))));
      else this.ctx.failed(error);
    }
  }

  loadSoon() {
    if (!this.timer) this.timer = setTimeout(() => { this.timer = 0; this.load(); }, AGAIN_MS);
  }

  // ---- what happens ------------------------------------------------------------------------------

  pulled(p) {
    const before = this.pull;
    this.pull = p;
    if (before && before.state !== p.state && !this.pulling()) {
      this.ctx.announce(this.t(p.state === "done" ? "pull.done" : "pull.ended", { name: p.name }));
      this.load();
    }
    this.drawPull();
    if (this.pulling() !== Boolean(before && UNDER_WAY.has(before.state))) this.drawList();
  }

  pulling() {
    return Boolean(this.pull && UNDER_WAY.has(this.pull.state));
  }

  status(s) {
    const plan = (x) => x && [x.model, x.device, x.text].join();
    if (this.changing() || !this.data || (s.plan && plan(s.plan) !== plan(this.data.plan))) this.loadSoon();
    // Just begun here: what the status says may still be the download before.
    if (s.download && (UNDER_WAY.has(s.download.state) || performance.now() - this.begun > AGAIN_MS)) this.pulled(s.download);
    if (s.model_change) this.changed(s.model_change);
  }

  /** How far another model is on its way into use. */
  changed(c) {
    const before = this.change;
    this.change = c;
    if (!c || (before && before.state === c.state && before.name === c.name && before.permille === c.permille)) return;
    if (before && before.state === "loading" && c.state !== "loading") {
      if (c.state === "done") this.ctx.toast(this.t("use.done", { name: c.name }));
      this.loadSoon();
    }
    if (this.data) this.drawPull();
  }

  changing() {
    return Boolean(this.change && this.change.state === "loading");
  }

  async ask(path, body) {
    try {
      await this.ctx.post(path, body);
      return true;
    } catch (error) {
      this.ctx.failed(error);
      return false;
    }
  }

  async startPull(m) {
    if (m.gated && !this.toldGated) {
      this.explainGated(m);
      return;
    }
    this.toldGated = false;
    if (await this.ask("/api/models/pull", { name: m.name })) {
      this.begun = performance.now();
      if (!this.pulling()) this.pulled({ name: m.name, file: m.file, done: 0, total: m.file_bytes, bytes_per_second: 0, state: "working", text: "" });
    }
  }

  async use(m) {
    if (!(await this.ask("/api/models/use", { name: m.name }))) return;
    this.changed({ name: m.name, state: "loading", permille: 0, text: "" });
    this.ctx.announce(this.t("use.begun", { name: this.short(m) }));
    this.draw();
    this.loadSoon();
  }

  explainGated(m) {
    const { t } = this;
    const open = dialog(t("gated.title", { name: this.short(m) }), t("close"),
      el("p", null, t("gated.text")),
      el("ol", { class: "gated-steps" }, el("li", null, t("gated.1"), " ", el("code", null, `huggingface.co/${m.name}`)),
        el("li", null, t("gated.2")), el("li", null, t("gated.3"), " ", el("code", null, "HF_TOKEN"))),
      el("div", { class: "actions" }, button(t("gated.go"), { kind: "primary", icon: "download", onclick: () => { this.toldGated = true; open.close(); this.startPull(m); } }),
        button(t("close"), { onclick: () => open.close() })));
  }

  short(m) {
    return m.short_name || (m.aliases || [])[0] || m.name;
  }

  // ---- what is seen ------------------------------------------------------------------------------

  draw() {
    this.drawPlan();
    this.drawPull();
    this.drawList();
  }

  drawPlan() {
    const { t } = this, f = this.ctx.format, { models, devices = [], plan, disk_free_bytes: disk } = this.data;
    const used = models.find((m) => m.in_use);
    const copies = (plan && plan.copies) || [];
    const speed = copies.reduce((sum, c) => sum + (c.tokens_per_second || 0), 0);
    const facts = [speed > 0 ? t("speed", { n: f.number(speed, 0) }) : used && used.tokens_per_second ? t("speed", { n: f.number(used.tokens_per_second, 0) }) : null,
      copies.length > 1 ? t("copies", { n: copies.length, where: copies.map((c) => c.device).join(", ") }) : null,
      plan && plan.context ? t("context", { n: f.number(plan.context) }) : null, plan && plan.sequences ? t("sequences", { n: f.number(plan.sequences) }) : null].filter(Boolean);
    const name = used ? this.short(used) : plan && plan.model;
    const inUse = card(t("in.use"), { id: "in-use" }, name
      ? el("div", { class: "in-use" }, el("p", { class: "in-use-name" }, name),
        used ? el("p", { class: "soft" }, [used.name === name ? used.file : used.name, used.quantization].filter(Boolean).join(" · ")) : null,
        plan && plan.text ? el("p", null, plan.text) : null, plan && plan.smaller_by > 0 ? el("p", { class: "look-text" }, t("smaller", { why: plan.smaller_because })) : null, facts.length ? el("p", { class: "plan-facts" }, facts.map((x) => el("span", null, x))) : null)
      : el("p", { class: "soft" }, t("in.use.none")),
      el("p", { class: "hint" }, t("multiplier")));
    const memory = card(t("devices"), { id: "devices" }, el("div", { class: "model-devices" }, devices.map((d) => {
      const total = d.total_bytes || 0, free = d.free_bytes;
      const taken = typeof free === "number" ? Math.max(0, total - free) : 0;
      return el("div", { class: "model-device" }, el("p", { class: "model-device-name" }, el("span", null, d.gpu || d.name !== "memory" ? d.name : t("device.memory")), el("span", { class: "soft number" }, typeof free === "number" ? t("free", { free: f.bytes(free), total: f.bytes(total) }) : f.bytes(total))),
        el("span", { class: "device-memory", "aria-hidden": "true" }, el("span", { class: "device-memory-taken", style: { "--share": total ? taken / total : 0 } })));
    })), typeof disk === "number" ? el("p", { class: "soft models-disk" }, t("disk", { n: f.bytes(disk) })) : null);
    this.plan.replaceChildren(inUse, memory);
  }

  drawPull() {
    const { t } = this, f = this.ctx.format, p = this.pull;
    const parts = [];
    if (p && UNDER_WAY.has(p.state)) {
      const left = p.bytes_per_second > 0 && p.total > p.done ? (p.total - p.done) / p.bytes_per_second : NaN;
      if (!this.pullNode || !this.pullNode.isConnected) {
        this.pullParts = { name: el("strong"), figures: el("span", { class: "soft number" }), bar: progress(0, 0, t("pull.progress")) };
        this.pullNode = el("div", { class: "card pull-card", id: "pull" }, el("div", { class: "pull-head" }, el("p", null, icon("download"), " ", this.pullParts.name), this.pullParts.figures,
          button(t("pull.cancel"), { kind: "small danger", icon: "stop", id: "pull-cancel", onclick: () => this.ask("/api/models/pull/cancel", {}) })), this.pullParts.bar);
      }
      const { name, figures, bar } = this.pullParts;
      name.textContent = p.file || p.name;
      figures.textContent = [p.total > 0 ? t("of", { done: f.bytes(p.done), total: f.bytes(p.total) }) : t("pull.starts"), p.bytes_per_second > 0 ? `${f.bytes(p.bytes_per_second)}/s` : null,
        Number.isFinite(left) ? t("left", { s: f.seconds(left) }) : null, p.text || null].filter(Boolean).join(" · ");
      bar.max = p.total > 0 ? p.total : 1;
      if (p.total > 0) bar.value = p.done;
      else bar.removeAttribute("value");
      parts.push(this.pullNode);
    } else if (p && p.state === "failed") {
      parts.push(notice("bad", el("div", null, el("p", null, el("strong", null, t("pull.failed", { name: p.name }))), el("p", null, p.text || ""))));
    }
    const c = this.change;
    if (c && c.state === "loading") {
      parts.push(notice("info", t("use.wait", { name: c.name }), progress(c.permille, 1000, t("use.begun", { name: c.name }))));
    } else if (c && c.state === "refused") {
      parts.push(notice("bad", el("div", null, el("p", null, el("strong", null, t("use.refused", { name: c.name }))), el("p", null, c.text || ""))));
    }
    if (parts.length !== this.news.childElementCount || parts.some((node, i) => this.news.children[i] !== node)) this.news.replaceChildren(...parts);
  }

  drawList() {
    const { t } = this, { models } = this.data;
    const rank = (m) => (m.in_use ? 0 : m.here ? 1 : m.fits ? 2 : 3);
    const rows = models.filter((m) => (!only.fits || m.fits) && (!only.zh || (m.languages || []).includes("zh")))
      .map((m, i) => [m, i]).sort(([a, i], [b, k]) => rank(a) - rank(b) || i - k).map(([m]) => m);
    // Drawn again only when something else is to be seen: a button must not go away under a finger.
    const drawn = JSON.stringify([rows, only, (this.data.devices || []).map((d) => d.total_bytes), this.pulling() && this.pull.name, this.changing()]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (!this.rows) {
      const filter = (key) => tick(t(`only.${key}`), { checked: only[key], onchange: (e) => { only[key] = e.target.checked; this.drawList(); } });
      this.rows = el("div");
      this.list.replaceChildren(card(t("models"), { id: "models", class: "models", aside: [filter("fits"), filter("zh")] }, this.rows));
    }
    const active = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.model : null;
    this.rows.replaceChildren(rows.length ? table(t("models"), this.columns(), rows, { rowAttrs: (m) => ({ class: m.fits ? null : "unfit" }) }) : empty("models", t("none"), t("none.text")));
    if (active) {
      const again = [...this.rows.querySelectorAll("[data-model]")].find((b) => b.dataset.model === active);
      if (again) again.focus({ preventScroll: true });
    }
  }

  columns() {
    const { t } = this, f = this.ctx.format;
    const devices = this.data.devices || [], gpus = devices.filter((d) => d.gpu);
    const room = Math.max(0, ...(gpus.length ? gpus : devices).map((d) => d.total_bytes || 0));
    return [
      { title: t("model"), head: true, cell: (m) => el("div", { class: "model-name" }, el("span", { class: "model-line" }, el("strong", null, this.short(m)),
          m.in_use ? badge(t("in.use"), "good") : m.here ? badge(t("here"), "accent") : null, m.gated ? badge(t("gated"), "look", { title: t("gated.text") }) : null),
        this.short(m) === m.name ? null : el("span", { class: "soft" }, m.name)) },
      { title: t("writes"), cell: (m) => (m.languages || []).map((l) => (strings.en[`lang.${l}`] ? t(`lang.${l}`) : l)).join(", ") || f.NONE },
      { title: t("file"), class: "number", cell: (m) => el("div", { class: "model-file" }, el("span", null, f.bytes(m.file_bytes)), el("span", { class: "soft" }, m.quantization)) },
      { title: t("memory"), class: "model-memory", cell: (m) => this.memory(m, room) },
      { title: t("licence"), cell: (m) => m.licence || f.NONE },
      { title: t("do"), class: "model-do", cell: (m) => this.action(m) },
    ];
  }

  /** What it needs, against the largest GPU, or the machine's memory where there is none; the rail goes on a little. */
  memory(m, room) {
    const { t } = this, f = this.ctx.format, rail = room * 1.25;
    const share = rail ? Math.min(1, (m.needs_bytes || 0) / rail) : 0;
    return el("div", { class: "need" }, el("span", { class: "number" }, m.needs_bytes ? f.bytes(m.needs_bytes) : f.NONE),
      el("span", { class: `need-rail ${m.fits ? "" : "over"}`, style: { "--share": share, "--room": rail ? room / rail : 1 }, "aria-hidden": "true" }),
      el("p", null, el("strong", { class: m.fits ? (m.quick === false ? "look-text" : "good-text") : "bad-text" }, t(!m.fits ? "fits.not" : m.quick === false ? "fits.slow" : "fits")), m.reason ? ` · ${m.reason}` : null));
  }

  action(m) {
    const { t } = this;
    if (m.in_use) return el("span", { class: "soft" }, icon("check"), el("span", { class: "unseen" }, t("in.use")));
    const name = this.short(m);
    if (m.here) return button(t("use"), { kind: "small", "data-model": m.name, "aria-label": t("use.name", { name }), disabled: this.changing(), onclick: () => this.use(m) });
    if (this.pull && this.pulling() && this.pull.name === m.name) return el("span", { class: "soft" }, t("pull.now"));
    return button(t("pull"), { kind: "small", icon: "download", "data-model": m.name, "aria-label": t("pull.name", { name }), disabled: this.pulling(), onclick: () => this.startPull(m) });
  }
}

// All other states are an end: done, failed, canceled.
const UNDER_WAY = new Set(["working", "waiting"]);

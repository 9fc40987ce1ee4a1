// The Playground: an idea in, a story out, every slot of it seen while it is written.
import { el, icon, button, badge, field, input, select, notice, link, save } from "./ui.js";
import { Board } from "./play_board.js";
import { createRun, TASKS } from "./play_run.js";
import { mountBook } from "./book.js";
import { downloadBook, fileName } from "./story_files.js";
import { strings } from "./play_strings.js";

export { strings };

const run = createRun(); // of this window: it goes on while another page is shown
const form = { idea: "", what: "story", generator: "", seed: "", deadline: 60, first: 1, last: 3, together: 3 };
const FULL_POINTS_S = 30; // validators pay full time points until then

export function mount(root, ctx) {
  const view = new Playground(root, ctx);
  return () => view.unmount();
}

class Playground {
  constructor(root, ctx) {
    // follows: the page scrolls to what is written next, until its reader scrolls.
    Object.assign(this, { root, ctx, t: ctx.t, follows: true, sections: new Map(), reading: null, timer: 0, offs: [] });
    const idea = ctx.query && ctx.query.get("idea");
    if (idea && run.phase !== "running") {
      run.clear();
      form.idea = idea;
      ctx.navigate("play", { replace: true }); // taken: what is written from it must stay
    }
    this.head = el("header", { class: "page-head" }, el("div", null, el("h1", null, this.t("title")), el("p", { class: "lead" }, this.t("lead"))));
    this.composer = el("div");
    this.bar = el("section", { class: "run-bar", "aria-label": this.t("run"), hidden: true });
    this.stage = el("div", { class: "play-stage" });
    root.append(this.head, this.composer, this.bar, this.stage);
    this.offs.push(run.on((kind, step, detail) => this.heard(kind, step, detail)));
    this.offs.push(ctx.events.on("request", (r) => { if (r.origin === "playground" && !r.done && r.tokens > 0) run.counted(r.tokens); }));
    this.offs.push(ctx.events.on("status", () => this.fillGenerators()));
    const ownWay = () => { this.follows = false; };
    for (const type of ["wheel", "touchmove", "keydown"]) {
      root.addEventListener(type, ownWay, { passive: true });
      this.offs.push(() => root.removeEventListener(type, ownWay));
    }
    this.phase();
  }

  unmount() {
    clearInterval(this.timer);
    this.offs.forEach((off) => off());
    for (const s of this.sections.values()) s.board.stop();
    if (this.reading) this.reading();
  }

  // ---- what is asked for -------------------------------------------------------------------------

  phase() {
    clearInterval(this.timer);
    const idle = run.phase === "idle";
    const active = document.activeElement && document.activeElement.id;
    const last = this.stage.querySelector(".outcome");
    if (last) last.remove();
    this.head.hidden = !idle;
    this.composer.replaceChildren(idle ? this.form() : this.summary());
    this.bar.hidden = idle;
    for (const step of run.steps) if (step.state !== "waiting") this.section(step);
    if (idle) {
      this.closeBook();
      this.sections.clear();
      this.stage.replaceChildren();
    } else {
      this.drawBar();
    }
    if (run.phase === "running") this.timer = setInterval(() => this.tick(), 200);
    else if (!idle) this.outcome();
    this.keepFocus(active);
  }

  /** The button that was pressed has gone: its place is taken by the one that comes next. */
  keepFocus(active) {
    const next = { write: ["cancel"], resume: ["cancel"], next: ["cancel"], cancel: ["resume", "read", "another"] }[active] || [];
    const node = next.map((id) => document.getElementById(id)).find(Boolean);
    if (node) node.focus({ preventScroll: true });
  }

  form() {
    const { t } = this;
    const idea = el("textarea", { id: "idea", rows: 3, maxlength: 2000, placeholder: t("idea.hint"), value: form.idea, required: true,
      oninput: (e) => { form.idea = e.target.value; } });
    const ideas = [1, 2, 3].map((n) => button(t(`example.${n}`), { kind: "quiet small", class: "example",
      onclick: () => { form.idea = idea.value = t(`example.${n}`); idea.focus(); } }));
    const choices = ["story", ...TASKS].map((what) => el("label", { class: "segment" },
      el("input", { type: "radio", name: "what", value: what, checked: form.what === what, onchange: () => { form.what = what; this.fillOptions(); } }),
      el("span", null, t(`what.${what}`))));
    this.options = el("div", { class: "filters" });
    this.fillOptions();
    const node = el("form", { class: "card composer", novalidate: true, onsubmit: (e) => { e.preventDefault(); this.start(idea); } },
      field(t("idea"), idea, { hidden: true }),
      el("div", { class: "examples", role: "group", "aria-label": t("examples") }, el("span", { class: "soft" }, t("examples")), ideas),
      el("div", { class: "composer-row" },
        el("fieldset", { class: "segments" }, el("legend", { class: "unseen" }, t("what")), choices),
        button(t("write"), { kind: "primary", type: "submit", icon: "play", id: "write" })),
      el("details", { class: "options" }, el("summary", null, t("options")), this.options));
    idea.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) node.requestSubmit(); });
    return node;
  }

  fillOptions() {
    const { t } = this;
    const of = (key, attrs) => ({ onchange: (e) => { form[key] = e.target.value; }, ...attrs });
    const number = (key) => ({ onchange: (e) => { form[key] = Number(e.target.value); this.fillOptions(); } });
    const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, k) => [String(from + k), String(from + k)]);
    this.generator = select([["", t("generator.any")]], "", of("generator"));
    const withChapters = form.what === "story" || form.what === "chapters";
    form.last = Math.max(form.first, form.last);
    this.options.replaceChildren(...[
      field(t("generator"), this.generator),
      field(t("seed"), input(of("seed", { inputmode: "numeric", pattern: "[0-9]*", maxlength: 15, value: form.seed, placeholder: t("seed.any") }))),
      field(t("deadline"), input(of("deadline", { type: "number", min: 5, max: 600, value: form.deadline }))),
      withChapters ? field(t("first"), select(numbers(1, 12), String(form.first), number("first"))) : null,
      withChapters ? field(t("last"), select(numbers(form.first, 12), String(form.last), number("last"))) : null,
      withChapters ? field(t("together"), select(numbers(1, 4), String(form.together), number("together"))) : null,
    ].filter(Boolean));
    this.fillGenerators();
  }

  fillGenerators() {
    if (!this.generator) return;
    const known = ((this.ctx.events.last || {}).status || {}).generators || [];
    const wanted = ["", ...known.map((g) => g.name)];
    if ([...this.generator.options].map((o) => o.value).join("\n") !== wanted.join("\n")) {
      this.generator.replaceChildren(el("option", { value: "" }, this.t("generator.any")), ...known.map((g) =>
        el("option", { value: g.name }, g.name === g.kind ? g.name : `${g.name} (${g.kind})`)));
      this.generator.value = wanted.includes(form.generator) ? form.generator : "";
    }
    known.forEach((g, i) => {
      const text = `${g.name === g.kind ? g.name : `${g.name} (${g.kind})`}${g.state === "ready" ? "" : ` – ${this.t(`state.${g.state}`)}`}`;
      const option = this.generator.options[i + 1];
      if (option.textContent !== text) option.textContent = text;
    });
  }

  start(control) {
    const idea = form.idea.trim();
    if (!idea) {
      control.setCustomValidity(this.t("idea.missing"));
      control.reportValidity();
      control.addEventListener("input", () => control.setCustomValidity(""), { once: true });
      return;
    }
    const seed = /^\d{1,15}$/.test(form.seed.trim()) ? Number(form.seed.trim()) : null;
    const deadline = Math.min(600, Math.max(5, Number(form.deadline) || 60));
    this.begin({ idea, what: form.what, generator: form.generator || null, seed, deadline, first: form.first, last: form.last, together: form.together });
  }

  begin(settings) {
    this.closeBook();
    this.stage.replaceChildren();
    for (const s of this.sections.values()) s.board.stop();
    this.sections.clear();
    this.follows = true;
    run.start(settings, this.ctx.stream);
    scrollTo(0, 0);
  }

  /** The idea, while and after it is written. */
  summary() {
    const { t } = this, running = run.phase === "running";
    const has = Boolean(run.story.blueprint || run.story.chapters || run.story.characters || run.story.story_arc);
    const actions = running ? [button(t("stop"), { kind: "danger", icon: "stop", id: "cancel", onclick: () => run.cancel() })]
      : [run.phase === "done" ? null : button(t("resume"), { kind: "primary", icon: "reload", id: "resume", onclick: () => run.resume(this.ctx.stream) }),
         has ? button(t(this.reading ? "board" : "read"), { kind: run.phase === "done" ? "primary" : "", icon: "stories", id: "read", "aria-pressed": String(Boolean(this.reading)), onclick: () => this.toggleBook() }) : null,
         has ? button("JSON", { icon: "download", id: "save-json", title: t("save.json"), onclick: () => save(fileName(run.story, "json"), JSON.stringify(run.story, null, 2), "application/json") }) : null,
         has ? button("HTML", { icon: "download", id: "save-html", title: t("save.html"), onclick: () => downloadBook(run.story).catch(this.ctx.failed) }) : null,
         button(t("another"), { kind: "quiet", icon: "play", id: "another", onclick: () => { form.idea = run.settings.idea; run.clear(); document.getElementById("idea").focus(); } })];
    return el("section", { class: "card idea-card", "aria-label": t("idea") },
      el("h1", { class: "idea-text" }, run.settings.idea), this.next(), el("div", { class: "actions" }, actions));
  }

  /** A story whose parts are written one by one: what comes next. */
  next() {
    if (run.phase !== "done" || run.settings.what === "story") return null;
    const what = TASKS[TASKS.indexOf(run.settings.what) + 1];
    if (!what || run.story[what]) return null;
    return el("p", { class: "actions" }, button(this.t("next", { what: this.t(`what.${what}`) }), { kind: "small", icon: "arrow", id: "next",
      onclick: () => { form.what = what; this.begin({ ...run.settings, what }); } }));
  }

  // ---- what happens ------------------------------------------------------------------------------

  heard(kind, step, detail) {
    if (kind === "phase") this.phase();
    else if (kind === "step") this.stepChanged(step);
    else if (kind === "emptied" && step.state === "running") this.section(step, true);
    else if (kind === "slot") this.slot(step, detail);
    else if (kind === "hop") this.hop(step);
    else if (kind === "result") this.sections.get(step).board.settle(step.result.output);
  }

  slot(step, path) {
    this.sections.get(step).board.update(path, step.slots.get(path));
  }

  stepChanged(step) {
    const section = this.section(step);
    this.drawBar();
    this.foot(step);
    if (step.state === "running") {
      this.ctx.announce(this.t("announce.writes", { what: this.name(step) }));
      section.node.dataset.state = "running";
      if (this.follows && run.at > 0) this.scrollTo(section.node);
    } else {
      section.node.dataset.state = step.state;
      this.ctx.announce(this.t(`announce.${step.state}`, { what: this.name(step), s: this.ctx.format.seconds(run.seconds(step)) }));
    }
  }

  hop(step) {
    this.drawBar();
    const change = (step.switches || []).at(-1);
    if (!change) return;
    const text = this.t("hop", { from: change.from.name, to: change.to.name });
    const node = notice("look", text);
    this.sections.get(step).notices.append(node);
    this.ctx.announce(text);
  }

  name(step) {
    if (!step.ids) return this.t(`what.${step.task}`);
    return step.ids.length === 1 ? this.t("chapter", { n: step.ids[0] }) : this.t("chapters.range", { a: step.ids[0], b: step.ids.at(-1) });
  }

  /** The part of the page that a step fills; made anew with an empty board where `anew`. */
  section(step, anew) {
    let s = this.sections.get(step);
    if (s && !anew) return s;
    const board = new Board(step.task, step.ids, this.t);
    if (s) {
      s.board.stop();
      s.board.root.replaceWith(board.root);
      s.board = board;
    } else {
      const id = `step-${run.steps.indexOf(step)}`;
      s = { board, notices: el("div", { class: "notices" }), foot: el("p", { class: "play-step-foot" }), id };
      s.node = el("section", { class: "play-step", id, "aria-labelledby": `${id}-title`, tabindex: "-1" },
        el("header", { class: "play-step-head" }, el("h2", { id: `${id}-title` }, this.name(step)), s.foot), s.notices, board.root);
      s.node.dataset.state = step.state;
      this.sections.set(step, s);
      this.stage.append(s.node);
      if (step.switches) step.switches.forEach(() => this.hop(step));
      this.foot(step);
    }
    for (const [path, slot] of step.slots) board.update(path, slot, true);
    if (step.result) board.settle(step.result.output, true);
    return s;
  }

  /** Who wrote it, and how well. */
  foot(step) {
    const { t } = this, f = this.ctx.format, s = this.sections.get(step), r = step.result;
    if (!r) {
      s.foot.replaceChildren();
      return;
    }
    const info = r.model_info || {}, score = r.score || {}, usage = step.usage || {};
    const facts = [
      badge(step.hop ? step.hop.name : info.mode || "?", "accent", { title: info.name }),
      f.seconds(r.seconds),
      usage.generated_tokens > 0 ? t("tokens", { n: f.number(usage.generated_tokens) }) : null,
      typeof score.structure === "number" ? t("structure", { n: f.number(score.structure) }) : null,
      typeof score.multiplier === "number" ? `× ${f.number(score.multiplier, 1)}` : null,
      score.valid === false ? badge(t("invalid"), "bad") : null,
      r.id ? link(t("trail"), `#/history/${r.id}`) : null].filter(Boolean);
    s.foot.replaceChildren(...facts.flatMap((x, i) => (i ? [el("span", { "aria-hidden": "true" }, "·"), x] : [x])));
  }

  // ---- the bar -----------------------------------------------------------------------------------

  drawBar() {
    const { t } = this;
    const pips = run.steps.map((step, i) => {
      const state = t(`step.${step.state}`);
      return el("li", { class: "pip", "data-state": step.state }, el("button", { type: "button", class: "pip-button", disabled: step.state === "waiting", "aria-label": `${this.name(step)}: ${state}`,
        "aria-current": i === run.at && run.phase === "running" ? "step" : null, onclick: () => this.goTo(step) }, el("span", { class: "pip-dot", "aria-hidden": "true" }, icon(step.state === "failed" ? "close" : "check")), el("span", { class: "pip-name" }, this.name(step))));
    });
    this.gauge = el("div", { class: "gauge" }, el("span", { class: "gauge-fill" }), el("span", { class: "gauge-mark", title: t("full.points") }));
    this.facts = { who: el("span", { class: "run-who" }), speed: el("span"), parts: el("span"), time: el("span", { class: "run-time" }) };
    this.bar.replaceChildren(el("ol", { class: "pips" }, pips), el("div", { class: "run-facts" }, Object.values(this.facts)), this.gauge);
    this.tick();
  }

  tick() {
    const { t, facts } = this, f = this.ctx.format;
    const step = run.steps[Math.min(run.at, run.steps.length - 1)];
    if (!step || !facts) return;
    const deadline = run.settings.deadline, seconds = run.seconds(step), section = this.sections.get(step);
    const speed = run.speed(step), parts = section ? section.board.counts() : { done: 0, all: 0 };
    const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
    put(facts.who, step.hop ? ({ running: t("by", { name: step.hop.name }), done: t("was.by", { name: step.hop.name }) })[step.state] || step.hop.name : step.state === "running" ? this.waiting(step) : "");
    put(facts.speed, step.loading && !speed && step.state === "running" ? t("loads", { n: f.share(step.loading.done / Math.max(1, step.loading.total)) }) : speed ? t(`speed.${speed.unit}`, { n: f.number(speed.value, speed.value < 10 ? 1 : 0) }) : step.prefill && !parts.done && step.state === "running" ? t("reads", { n: f.share(step.prefill.done / Math.max(1, step.prefill.total)) }) : "");
    put(facts.parts, parts.all ? t("parts", { done: parts.done, all: parts.all }) : "");
    put(facts.time, t("time", { s: f.number(seconds, 1), all: f.number(deadline) }));
    const share = Math.min(1, seconds / deadline);
    this.gauge.dataset.tone = share > 0.85 ? "bad" : seconds > FULL_POINTS_S ? "look" : "";
    this.gauge.style.setProperty("--share", share.toFixed(4));
    this.gauge.style.setProperty("--mark", Math.min(1, FULL_POINTS_S / deadline).toFixed(4));
    this.gauge.lastElementChild.hidden = deadline <= FULL_POINTS_S;
    this.bar.dataset.state = step.state;
  }

  waiting(step) {
    const before = step.queued ? step.queued.before : 0;
    return before > 0 ? this.t("queued", { n: before }) : this.t("starts");
  }

  goTo(step) {
    this.closeBook();
    const { node } = this.section(step);
    this.scrollTo(node);
    this.follows = step.state === "running";
    node.focus({ preventScroll: true });
  }

  scrollTo(node) {
    node.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  // ---- the end -----------------------------------------------------------------------------------

  outcome() {
    const step = run.steps[run.at];
    if (run.phase === "done" || !step) return;
    const error = step.error || {};
    const text = run.phase === "canceled" ? this.t("canceled") : error.message || this.t(error.status ? "error.unknown" : "error.connection");
    this.section(step).notices.append(el("div", { class: "outcome" }, notice(run.phase === "canceled" ? "info" : "bad", run.phase === "canceled" ? text : el("div", null, el("p", null, el("strong", null, this.t("error.title", { what: this.name(step) }))), el("p", null, text)))));
  }

  toggleBook() {
    if (this.reading) {
      this.closeBook();
      this.composer.replaceChildren(this.summary());
      document.getElementById("read").focus();
      return;
    }
    const place = el("div", { class: "reader" });
    this.stage.hidden = this.bar.hidden = true;
    this.stage.after(place);
    const unmount = mountBook(place, run.story, { embedded: true });
    this.reading = () => { unmount(); place.remove(); };
    this.composer.replaceChildren(this.summary());
    document.getElementById("read").focus();
  }

  closeBook() {
    if (this.reading) this.reading();
    this.reading = null;
    this.stage.hidden = false;
    this.bar.hidden = run.phase === "idle";
  }
}

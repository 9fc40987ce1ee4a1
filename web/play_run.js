// What is being written in the Playground: one run of one or more steps, each a request to the miner.
// It belongs to no page: it goes on while another one is looked at.

export const TASKS = ["blueprint", "characters", "story_arc", "chapters"];
const CONTEXTS = { blueprint: [], characters: ["blueprint"], story_arc: ["blueprint", "characters"], chapters: ["blueprint", "characters", "story_arc"] };
const SPEED_WINDOW_MS = 2500;

/** The chapters first..last in groups of at most `together`: each group is one request. */
export function chapterGroups(first, last, together) {
  const groups = [];
  for (let id = first; id <= last; id += together) {
    groups.push(Array.from({ length: Math.min(together, last - id + 1) }, (_, k) => id + k));
  }
  return groups;
}

/** The steps that `settings.what` ("story" or a task) takes. */
export function plan({ what, first, last, together }) {
  const step = (task, ids) => ({ task, ids: ids || null, state: "waiting", slots: new Map(), hop: null, queued: null, prefill: null, usage: null,
    tokens: null, characters: 0, samples: [], started: 0, ended: 0, result: null, error: null });
  const chapters = () => chapterGroups(first, last, together).map((ids) => step("chapters", ids));
  if (what === "story") return [...TASKS.slice(0, 3).map((task) => step(task)), ...chapters()];
  return what === "chapters" ? chapters() : [step(what)];
}

export function createRun(clock = () => performance.now()) {
  const listeners = new Set();
  const run = { phase: "idle", settings: null, story: {}, steps: [], at: 0, deadline: 60, switches: [] };
  let control = null;

  const tell = (kind, step, detail) => { for (const fn of [...listeners]) fn(kind, step, detail); };

  const sample = (step, amount) => {
    const now = clock();
    step.samples.push([now, amount]);
    while (step.samples.length > 2 && now - step.samples[0][0] > SPEED_WINDOW_MS) step.samples.shift();
  };

  const empty = (step) => {
    step.slots.clear();
    step.characters = 0;
    step.samples = [];
    step.prefill = step.loading = null;
  };

  const slot = (step, path) => {
    if (!step.slots.has(path)) step.slots.set(path, { text: "", state: "waiting" });
    return step.slots.get(path);
  };

  const HEARD = {
    queued: (step, data) => { step.queued = data; },
    hop: (step, data) => {
      const before = step.hop;
      step.hop = data;
      if (before) step.switches = [...(step.switches || []), { from: before, to: data, lost: step.characters }];
      empty(step);
      tell("emptied", step);
    },
    loading: (step, data) => { step.loading = data; },
    prefill: (step, data) => { step.prefill = data; step.loading = null; },
    tokens: (step, data) => { step.tokens = data.done; sample(step, 0); },
    usage: (step, data) => { step.usage = data; },
    slot_started: (step, data) => {
      const s = slot(step, data.path);
      step.characters -= s.text.length;
      s.text = "";
      s.state = "writing";
      tell("slot", step, data.path);
    },
    slot_text: (step, data) => {
      const s = slot(step, data.path);
      s.text += data.text;
      if (s.state === "waiting") s.state = "writing";
      step.characters += data.text.length;
      sample(step, step.characters);
      tell("slot", step, data.path);
    },
    slot_done: (step, data) => {
      slot(step, data.path).state = "done";
      tell("slot", step, data.path);
    },
    result: (step, data) => { step.result = data; },
    error: (step, data) => { step.error = { status: data.status, message: data.message }; },
  };

  const request = (step, index) => {
    const { idea, generator, seed } = run.settings;
    const body = { task: step.task, user_input: idea, deadline_s: run.settings.deadline };
    if (generator) body.generator = generator;
    if (seed !== null) body.seed = seed + index;
    if (step.ids) body.chapter_ids = step.ids;
    for (const name of CONTEXTS[step.task]) if (run.story[name]) body[name] = run.story[name];
    return body;
  };

  const keep = (step) => {
    const { output } = step.result;
    if (step.task !== "chapters") {
      run.story[step.task] = output;
      return;
    }
    const byId = new Map((run.story.chapters || []).map((c) => [c.id, c]));
    for (const c of output.chapters || []) byId.set(c.id, c);
    run.story.chapters = [...byId.values()].sort((a, b) => a.id - b.id);
  };

  const write = async (step, index, stream) => {
    Object.assign(step, { state: "running", started: clock(), ended: 0, hop: null, queued: null, usage: null, tokens: null, result: null, error: null, switches: [] });
    empty(step);
    tell("emptied", step);
    tell("step", step);
    try {
      await stream("/api/play", request(step, index), (type, data) => {
        if (HEARD[type]) HEARD[type](step, data);
        tell(type, step, data);
      }, control.signal);
      if (!step.result && !step.error) step.error = { status: 0, message: "" }; // the connection ended early
    } catch (error) {
      if (error.name !== "AbortError") step.error = { status: error.status || 0, message: error.status ? error.message : "" };
    }
    step.ended = clock();
    step.state = step.result ? "done" : control.signal.aborted ? "canceled" : "failed";
    if (step.state === "done") keep(step);
    tell("step", step);
  };

  const proceed = async (stream) => {
    control = new AbortController();
    run.phase = "running";
    tell("phase");
    for (; run.at < run.steps.length; run.at++) {
      const step = run.steps[run.at];
      await write(step, run.at, stream);
      if (step.state !== "done") {
        run.phase = step.state;
        tell("phase");
        return;
      }
    }
    run.phase = "done";
    tell("phase");
  };

  return Object.assign(run, {
    on(fn) { listeners.add(fn); return () => listeners.delete(fn); },
    /** Begins. A single task of the same idea goes on with the story that is there. */
    start(settings, stream) {
      if (run.phase === "running") return Promise.resolve();
      const goesOn = run.story.user_input === settings.idea && settings.what !== "story";
      const kept = goesOn ? run.steps.filter((s) => s.state === "done" && s.task !== settings.what) : [];
      run.story = goesOn ? run.story : { user_input: settings.idea };
      run.settings = settings;
      run.steps = [...kept, ...plan(settings)];
      run.at = kept.length;
      return proceed(stream);
    },
    /** Goes on with the step that failed or was canceled. */
    resume(stream) { return run.phase === "failed" || run.phase === "canceled" ? proceed(stream) : Promise.resolve(); },
    cancel() { if (control) control.abort(); },
    /** Forgets what was written. */
    clear() {
      if (run.phase === "running") return;
      Object.assign(run, { phase: "idle", story: {}, steps: [], at: 0 });
      tell("phase");
    },
    /** Tokens that the miner counted for the request under way, from its own live events. */
    counted(tokens) {
      const step = run.steps[run.at];
      if (run.phase !== "running" || !step) return;
      step.tokens = tokens;
      step.tokenSamples = [...(step.tokenSamples || []).filter(([at]) => clock() - at < 4000), [clock(), tokens]];
    },
    /** {value, unit} of the step: tokens per second where they are known, else characters. */
    speed(step) {
      if (step.usage && step.usage.tokens_per_second > 0) return { value: step.usage.tokens_per_second, unit: "tokens" };
      const rate = (samples) => {
        if (!samples || samples.length < 2) return null;
        const [[t0, a], [t1, b]] = [samples[0], samples[samples.length - 1]];
        return t1 - t0 > 200 && b >= a ? (b - a) / ((t1 - t0) / 1000) : null;
      };
      const tokens = rate(step.tokenSamples);
      if (tokens) return { value: tokens, unit: "tokens" };
      const characters = rate(step.samples);
      return characters ? { value: characters, unit: "characters" } : null;
    },
    seconds(step) { return step.started ? ((step.ended || clock()) - step.started) / 1000 : 0; },
  });
}

// The values in effect, where each came from, and reading the file again.
import { el, icon, button, badge, card, empty, field, input, notice, tick } from "./ui.js";

export const strings = {
  en: {
    title: "Configuration", lead: "What is in effect now, and where each value came from.", file: "File", "file.none": "No file: built-in defaults, environment and flags.", search: "Search", "search.hint": "Name or explanation", changed: "Only what differs from the default", reload: "Read the file again", reloaded: "The file is good. Its values take over as soon as its generators can answer.",
    refused: "The old configuration stays in use.", "default.is": "default: {v}", empty: "empty", secret: "secret, never shown", set: "set", "not.set": "not set", live: "takes effect on reload", restart: "needs a restart", "none": "Nothing matches", "none.text": "Take a filter away to see every option.", count: "{n} options",
    "from.default": "default", "from.flag": "flag", "from.environment": "environment", "from.env": ".env", "from.file": "file", general: "General", edit: "Values are changed in the file (or the environment), not here.",
  },
  zh: {
    title: "配置", lead: "当前生效的值，以及各自的来源。", file: "文件", "file.none": "没有文件：使用内置默认值、环境变量和命令行。", search: "搜索", "search.hint": "名称或说明", changed: "只看与默认值不同的", reload: "重新读取文件", reloaded: "文件无误。新的生成器一旦可以应答，新的值就会生效。",
    refused: "继续使用原来的配置。", "default.is": "默认：{v}", empty: "空", secret: "机密，从不显示", set: "已设置", "not.set": "未设置", live: "重新读取后生效", restart: "需要重启", "none": "没有符合条件的", "none.text": "去掉筛选即可看到所有选项。", count: "{n} 个选项",
    "from.default": "默认", "from.flag": "命令行", "from.environment": "环境变量", "from.env": ".env", "from.file": "文件", general: "总体", edit: "请在文件（或环境变量）中修改，此处不能修改。",
  },
};

const shown = (v) => {
  if (v === null || v === undefined) return "";
  if (Array.isArray(v) && v.every((x) => typeof x !== "object")) return v.length ? v.join(", ") : "[]";
  return typeof v === "object" ? JSON.stringify(v) : String(v);
};
/** An explanation; what stands between backticks is code. */
const explained = (text) => String(text || "").split("`").map((piece, i) => (i % 2 ? el("code", null, piece) : piece));
const isDefault = (o) => /^default/.test(o.origin || "default");

/** "file:12" and the like: which kind of place. */
const placeOf = (origin) => (/^default/.test(origin) ? "default" : /^flag|^--/.test(origin) ? "flag" : /\.env/.test(origin) ? "env" : /^env/.test(origin) ? "environment" : "file");

/** Where in that place: ":12" in the file that stands above, the variable, the flag. */
const placeText = (origin, file) => (file && origin.startsWith(`${file}:`) ? origin.slice(file.length) : origin.replace(/^(flag|environment) /, ""));

const sectionOf = (key) => {
  const parts = key.split(".");
  return parts.slice(0, Math.min(2, parts.length - 1)).join(".");
};

function row(t, o, file) {
  const value = shown(o.value), preset = shown(o.default), place = placeOf(o.origin || "default");
  return el("li", { class: `option${isDefault(o) ? "" : " changed"}`, "data-key": o.key },
    el("div", { class: "option-name" }, el("h3", { class: "mono" }, o.key.slice(sectionOf(o.key).length).replace(/^\./, "")), el("p", { class: "soft small" }, explained(o.doc))),
    el("div", { class: "option-value" },
      o.secret ? el("span", { class: "secret", title: t("secret") }, icon("lock"), value ? t("set") : t("not.set")) : value ? el("code", null, value) : el("span", { class: "soft" }, t("empty")),
      !isDefault(o) && !o.secret && preset !== value ? el("p", { class: "soft small" }, t("default.is", { v: preset || t("empty") })) : null),
    el("div", { class: "option-from" }, badge(t(`from.${place}`), place === "default" ? "" : "accent", { title: o.origin }),
      place === "default" ? null : el("span", { class: "soft small" }, placeText(o.origin, file)),
      el("span", { class: "soft small" }, t(o.reload ? "live" : "restart"))));
}

export function mount(root, ctx) {
  const { t, format: f } = ctx;
  const later = []; // looks after a reload
  let options = [], path = "";
  const find = input({ type: "search", placeholder: t("search.hint") });
  const changed = tick(t("changed"), {});
  const list = el("div", { class: "config-list", "aria-busy": "true" }), count = el("p", { class: "soft small", role: "status" }), result = el("div", { class: "notices", role: "status" });
  const file = el("p", { class: "config-file" });
  const box = changed.querySelector("input");

  const draw = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = options.filter((o) => (!box.checked || !isDefault(o)) && words.every((w) => `${o.key} ${o.doc}`.toLowerCase().includes(w)));
    const sections = new Map();
    for (const o of rows) {
      const name = sectionOf(o.key);
      if (!sections.has(name)) sections.set(name, []);
      sections.get(name).push(o);
    }
    count.textContent = t("count", { n: f.number(rows.length) });
    list.replaceChildren(...[...sections].map(([name, os]) => card(name || t("general"), { class: "config-section" }, el("ul", { class: "options" }, os.map((o) => row(t, o, path))))));
    if (!rows.length) list.append(el("div", { class: "card" }, empty("search", t("none"), t("none.text"))));
  };
  const load = async () => {
    try {
      const c = await ctx.api("/api/config");
      options = c.options;
      path = c.file || "";
      file.replaceChildren(...(c.file ? [el("span", { class: "soft" }, `${t("file")} `), el("code", null, c.file)] : [t("file.none")]));
      draw();
    } catch (error) {
      list.replaceChildren(notice("bad", error.message, el("div", { class: "actions" }, button(t("again"), { kind: "small", onclick: load }))));
    }
    list.removeAttribute("aria-busy");
  };
  const reload = button(t("reload"), { icon: "reload", id: "reload", onclick: async () => {
    reload.disabled = true;
    try {
      await ctx.post("/api/reload");
      result.replaceChildren(el("div", { class: "notice good" }, icon("check"), el("p", null, t("reloaded"))));
      for (const seconds of [1, 4, 15, 60]) later.push(setTimeout(load, seconds * 1000));
    } catch (error) {
      result.replaceChildren(notice("bad", el("div", null, el("p", null, error.message), error.status === 409 ? el("p", null, t("refused")) : null)));
    }
    reload.disabled = false;
  } });
  find.addEventListener("input", draw);
  box.addEventListener("change", draw);
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")), file), reload), result,
    el("section", { class: "card strip config-tools", "aria-label": t("search") }, field(t("search"), find, { hidden: true }), changed, count), list, el("p", { class: "soft small" }, t("edit")));
  load();
  return () => later.forEach(clearTimeout);
}

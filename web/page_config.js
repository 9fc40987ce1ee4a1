// The values in effect, where each came from, and reading the file again.
import { el, icon, button, badge, card, empty, field, input, notice, tick } from "./ui.js";

export const strings = {
  en: {
    title: "Configuration", lead: "What is in effect now, and where each value came from.", file: "File", "file.none": "No file: built-in defaults, environment and flags.", search: "Search", "search.hint": "Name or explanation", changed: "Only what differs from the default", reload: "Read the file again", reloaded: "Read again. What follows shows the values in effect now.",
    refused: "The old configuration stays in use.", "default.is": "default: {v}", empty: "empty", secret: "secret, never shown", set: "set", "not.set": "not set", live: "takes effect on reload", restart: "needs a restart", "none": "Nothing matches", "none.text": "Take a filter away to see every option.", count: "{n} options",
    "from.default": "default", "from.flag": "flag", "from.environment": "environment", "from.env": ".env", "from.file": "file", edit: "Values are changed in the file (or the environment), not here.",
  },
  zh: {
    title: "配置", lead: "当前生效的值，以及各自的来源。", file: "文件", "file.none": "没有文件：使用内置默认值、环境变量和命令行。", search: "搜索", "search.hint": "名称或说明", changed: "只看与默认值不同的", reload: "重新读取文件", reloaded: "已重新读取。下面是现在生效的值。",
    refused: "继续使用原来的配置。", "default.is": "默认：{v}", empty: "空", secret: "机密，从不显示", set: "已设置", "not.set": "未设置", live: "重新读取后生效", restart: "需要重启", "none": "没有符合条件的", "none.text": "去掉筛选即可看到所有选项。", count: "{n} 个选项",
    "from.default": "默认", "from.flag": "命令行", "from.environment": "环境变量", "from.env": ".env", "from.file": "文件", edit: "请在文件（或环境变量）中修改，此处不能修改。",
  },
};

const shown = (v) => (v === null || v === undefined || v === "" ? "" : typeof v === "object" ? JSON.stringify(v, null, 1).replace(/\n\s*/g, " ") : String(v));
const isDefault = (o) => /^default/.test(o.origin || "default");

/** "file:12" and the like: which kind of place. */
const placeOf = (origin) => (/^default/.test(origin) ? "default" : /^flag|^--/.test(origin) ? "flag" : /\.env/.test(origin) ? "env" : /^env/.test(origin) ? "environment" : "file");

const sectionOf = (key) => {
  const parts = key.split(".");
  return parts.slice(0, Math.min(2, parts.length - 1)).join(".");
};

function row(t, o) {
  const value = shown(o.value), preset = shown(o.default), place = placeOf(o.origin || "default");
  return el("li", { class: `option${isDefault(o) ? "" : " changed"}`, "data-key": o.key },
    el("div", { class: "option-name" }, el("h3", { class: "mono" }, o.key.slice(sectionOf(o.key).length).replace(/^\./, "")), el("p", { class: "soft small" }, o.doc)),
    el("div", { class: "option-value" },
      o.secret ? el("span", { class: "secret", title: t("secret") }, icon("lock"), value ? t("set") : t("not.set")) : value ? el("code", null, value) : el("span", { class: "soft" }, t("empty")),
      !isDefault(o) && !o.secret && preset !== value ? el("p", { class: "soft small" }, t("default.is", { v: preset || t("empty") })) : null),
    el("div", { class: "option-from" }, badge(place === "file" || place === "default" ? t(`from.${place}`) : t(`from.${place}`), place === "default" ? "" : "accent", { title: o.origin }),
      place === "default" ? null : el("span", { class: "soft small" }, o.origin.replace(/^(flag|environment|file:?)\s*/, (m) => (m.startsWith("file") ? ":" : ""))),
      el("span", { class: "soft small" }, t(o.reload ? "live" : "restart"))));
}

export function mount(root, ctx) {
  const { t, format: f } = ctx;
  let options = [];
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
    list.replaceChildren(...[...sections].map(([name, os]) => card(name || "·", { class: "config-section" }, el("ul", { class: "options" }, os.map((o) => row(t, o))))));
    if (!rows.length) list.append(el("div", { class: "card" }, empty("search", t("none"), t("none.text"))));
  };
  const load = async () => {
    try {
      const c = await ctx.api("/api/config");
      options = c.options;
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
      const said = await ctx.post("/api/reload");
      result.replaceChildren(el("div", { class: "notice good" }, icon("check"), el("div", { class: "notice-text" }, el("p", null, t("reloaded")), said && said.message ? el("p", null, said.message) : null)));
      await load();
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
  return () => {};
}

import { el } from "./ui.js";

export const strings = {
  en: { title: "Config" },
  zh: { title: "配置" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")))));
  return () => {};
}

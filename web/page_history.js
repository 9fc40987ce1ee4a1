import { el } from "./ui.js";

export const strings = {
  en: { title: "History" },
  zh: { title: "历史" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")))));
  return () => {};
}

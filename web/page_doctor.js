import { el } from "./ui.js";

export const strings = {
  en: { title: "Doctor" },
  zh: { title: "诊断" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")))));
  return () => {};
}

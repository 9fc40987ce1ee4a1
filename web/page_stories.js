import { el } from "./ui.js";

export const strings = {
  en: { title: "Stories", lead: "Every story that was written here." },
  zh: { title: "故事", lead: "这里写过的每一个故事。" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")))));
  return () => {};
}

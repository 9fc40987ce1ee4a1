import { el } from "./ui.js";

export const strings = {
  en: { title: "Playground", lead: "Write a story with this miner and watch it fill in." },
  zh: { title: "试写", lead: "用这台矿工写一个故事，并实时观看。" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")))));
  return () => {};
}

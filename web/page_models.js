import { el } from "./ui.js";

export const strings = {
  en: { title: "Models", lead: "What fits this machine, and what is in use." },
  zh: { title: "模型", lead: "适合这台机器的模型，以及正在使用的模型。" },
};

export function mount(root, { t }) {
  root.append(el("header", { class: "page-head" }, el("div", null, el("h1", null, t("title")), el("p", { class: "lead" }, t("lead")))));
  return () => {};
}

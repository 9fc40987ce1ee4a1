"use strict";
// Before the first paint, so that nothing flashes: the theme and the language that the owner chose.
(() => {
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const theme = kept("storyfi.theme");
  const wanted = kept("storyfi.language") || navigator.language || "en";
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  document.documentElement.lang = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
})();

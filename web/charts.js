// Charts by uPlot, where it is built in (tools/setup.sh fetches it); null where it is not.
import { el } from "./ui.js";

export const available = () => typeof window.uPlot === "function";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const clear = (c, share) => `color-mix(in srgb, ${c} ${share}%, transparent)`;

/** Draws `make(colour, width)` → {options, data} into a box of its own and again whenever the box or
 * the theme changes. {node, set(data), destroy}. The text `label` says the same to a screen reader. */
function chart(label, height, make) {
  const node = el("div", { class: "chart", role: "img", "aria-label": label, style: { height: `${height}px` } });
  let plot = null, data = null, width = 0;
  const draw = () => {
    if (plot) plot.destroy();
    plot = null;
    if (!data || width < 40) return;
    plot = new window.uPlot({ ...make(width), width, height }, data, node);
  };
  const size = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    if (plot) plot.setSize({ width, height });
    else draw();
  });
  size.observe(node);
  addEventListener("storyfi-theme", draw);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  return {
    node,
    set: (next) => { data = next; if (plot) plot.setData(next); else draw(); },
    label: (text) => node.setAttribute("aria-label", text),
    destroy: () => {
      size.disconnect();
      removeEventListener("storyfi-theme", draw);
      dark.removeEventListener("change", draw);
      if (plot) plot.destroy();
    },
  };
}

/** A line without axes. */
export function sparkline(label, height = 56) {
  if (!available()) return null;
  return chart(label, height, () => ({
    cursor: { show: false }, legend: { show: false }, padding: [4, 2, 4, 2],
    axes: [{ show: false }, { show: false }],
    scales: { y: { range: (_, low, high) => [Math.min(0, low), (high || 1) * 1.08] } },
    series: [{}, { stroke: colour("accent"), width: 2, fill: clear(colour("accent"), 10), points: { show: false } }],
  }));
}

// A value between two gaps would not be drawn as a line.
const alone = (u, i) => u.data[i].map((v, k, all) => (v !== null && (all[k - 1] ?? null) === null && (all[k + 1] ?? null) === null ? k : -1)).filter((k) => k >= 0);

/** series: [{label, colour, dash, fill, bars, value(v, other) → text}]; other(i) is column i's value at
 * the same place. */
export function timeChart(label, { height = 210, series, lang, axis, range }) {
  if (!available()) return null;
  const locale = lang === "zh" ? "zh-CN" : "en";
  const stamp = (seconds, options) => new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options }).format(seconds * 1000);
  const ticks = (u, splits) => {
    const long = splits.length > 1 && splits[splits.length - 1] - splits[0] > 2 * 86400;
    return splits.map((s) => stamp(s, long ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" }));
  };
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  return chart(label, height, (width) => ({
    padding: [8, 18, 0, 0],
    cursor: { points: { size: 6 }, y: false },
    legend: { live: true, markers: { width: 0, fill: (_, i) => (i ? colour(series[i - 1].colour) : "transparent") } },
    scales: { y: { range: range || ((_, low, high) => [0, (high || 1) * 1.12]) } },
    axes: [
      { stroke: colour("faint"), font, values: ticks, grid: { show: false }, ticks: { show: false }, gap: 6, size: 28, space: width < 500 ? 70 : 90 },
      { stroke: colour("faint"), font, grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, gap: 6, size: 52, values: (_, vs) => vs.map(axis) },
    ],
    series: [
      { label: "", value: (_, v) => (v === null || v === undefined ? "" : stamp(v, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" })) },
      ...series.map((s) => ({
        label: s.label, stroke: colour(s.colour), width: s.bars ? 0 : 2, dash: s.dash, spanGaps: false,
        fill: s.bars ? clear(colour(s.colour), 70) : s.fill ? clear(colour(s.colour), 9) : undefined,
        paths: s.bars ? window.uPlot.paths.bars({ size: [0.7, 24], radius: 0.15 }) : undefined,
        points: s.bars ? { show: false } : { show: true, filter: alone, size: 6, fill: colour(s.colour) }, value: (u, v, _, at) => (v === null || v === undefined ? "–" : s.value(v, (i) => u.data[i][at])),
      })),
    ],
  }));
}

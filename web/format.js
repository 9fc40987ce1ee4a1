// Numbers and times as people read them, by language.

export function formats(lang) {
  const locale = lang === "zh" ? "zh-CN" : "en";
  const known = (v) => typeof v === "number" && Number.isFinite(v);
  const plain = (v, digits, least = 0) => new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: digits }).format(v);
  const words = lang === "zh"
    ? { s: " 秒", ms: " 毫秒", min: " 分", h: " 小时", d: " 天", ago: (x) => `${x}前`, now: "刚刚" }
    : { s: " s", ms: " ms", min: " min", h: " h", d: " d", ago: (x) => `${x} ago`, now: "just now" };
  const NONE = "–";

  const number = (v, digits = 0) => (known(v) ? plain(v, digits) : NONE);
  const share = (v, digits = 0) => (known(v) ? `${plain(v * 100, digits)} %` : NONE);
  const seconds = (v) => {
    if (!known(v)) return NONE;
    const a = Math.abs(v);
    if (a > 0 && a < 1) return `${plain(v * 1000, 0)}${words.ms}`;
    if (a < 10) return `${plain(v, 1, Number.isInteger(v) ? 0 : 1)}${words.s}`;
    if (a < 120) return `${plain(v, 0)}${words.s}`;
    if (a < 7200) return `${plain(v / 60, 0)}${words.min}`;
    if (a < 172800) return `${plain(v / 3600, 1)}${words.h}`;
    return `${plain(v / 86400, 0)}${words.d}`;
  };
  const ticks = (v) => (v < 120 ? `${plain(v, 1)}${words.s}` : seconds(v)); // beside an axis
  const bytes = (v) => {
    if (!known(v)) return NONE;
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    for (; v >= 1024 && i < units.length - 1; i++) v /= 1024;
    return `${plain(v, v < 10 && i > 0 ? 1 : 0)} ${units[i]}`;
  };
  const tokens = (v) => { // of the subnet's own currency
    if (!known(v)) return NONE;
    if (v === 0) return "0";
    return new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 }).format(v);
  };
  const date = (v) => (v instanceof Date ? v : new Date(typeof v === "number" ? v * 1000 : v));
  const time = (v) => new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(date(v));
  const moment = (v) => {
    const d = date(v);
    if (Number.isNaN(d.getTime())) return NONE;
    const today = d.toDateString() === new Date().toDateString();
    return today ? time(d) : new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(d);
  };
  const full = (v) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }).format(date(v));
  const ago = (v) => {
    const s = (Date.now() - date(v).getTime()) / 1000;
    return s < 2 ? words.now : words.ago(seconds(s));
  };
  /** A key or address, its middle left out. */
  const short = (v) => (v && v.length > 16 ? `${v.slice(0, 6)}…${v.slice(-4)}` : v || NONE);
  return { number, share, seconds, ticks, bytes, tokens, time, moment, full, ago, short, NONE };
}

/** How numbers and times read everywhere: commas, a space before the unit, three figures, seconds and zone. */
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_S = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 57,780 */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** Three figures: 0.941, 18.4, 262, 1,672. */
export function figures(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return WHOLE.format(value);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toPrecision(size < 0.01 ? 1 : 2);
}

/** 12.2/s */
export function perSecond(value: number): string {
  return `${figures(value)}/s`;
}

/** `part` of `whole` in percent: `0.94 %`. Less than everything is never written as 100 %. */
export function share(part: number, whole: number): string {
  if (whole === 0) return "– %";
  const percent = (100 * part) / whole;
  if (part < whole && percent > 99.99) return "> 99.99 %";
  if (part > 0 && percent < 0.01) return "< 0.01 %";
  return `${percent >= 100 ? "100" : percent.toFixed(percent >= 99.9 || percent < 10 ? 2 : 1)} %`;
}

/** 18.4 MB; decimal units, as networks count. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? WHOLE.format(size) : figures(size)} ${units[unit]}`;
}

/** A length of time from microseconds: `410 µs`, `3.05 s`, `2 min 14 s`. */
export function duration(us: number): string {
  if (us < 1000) return `${figures(us)} µs`;
  if (us < 1e6) return `${figures(us / 1000)} ms`;
  if (us < 60e6) return `${figures(us / 1e6)} s`;
  const seconds = Math.round(us / 1e6);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/** 14:11, local time. */
function clock(ms: number): string {
  return CLOCK.format(ms);
}

/** 14:11:30, local time. */
export function clockSeconds(ms: number): string {
  return CLOCK_S.format(ms);
}

/** 14:11:30.018, local time; takes ms or an ISO time with nanoseconds. */
export function clockMillis(at: number | string): string {
  const ms = typeof at === "number" ? at : Date.parse(at);
  return `${CLOCK_S.format(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
}

/** 17 Nov 14:17 */
function dayClock(ms: number): string {
  return `${DAY.format(ms)} ${CLOCK.format(ms)}`;
}

/** `14:02 – 14:17`, with days where the range is longer than one or not today's. */
export function rangeWords(from: number, to: number, now: number): string {
  const sameDay = DAY.format(from) === DAY.format(to);
  const today = DAY.format(now) === DAY.format(to);
  if (sameDay && today)
    return to - from < 120_000 ? `${clockSeconds(from)} – ${clockSeconds(to)}` : `${clock(from)} – ${clock(to)}`;
  return sameDay ? `${dayClock(from)} – ${clock(to)}` : `${dayClock(from)} – ${dayClock(to)}`;
}

/** `0.8 s ago`, `6 min ago`, then the date. */
export function ago(ms: number, now: number): string {
  const age = Math.max(0, now - ms);
  if (age < 10_000) return `${(age / 1000).toFixed(1)} s ago`;
  if (age < 60_000) return `${Math.round(age / 1000)} s ago`;
  if (age < 3600_000) return `${Math.round(age / 60_000)} min ago`;
  return dayClock(ms);
}

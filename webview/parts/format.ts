/** Numbers, instants and durations as the pages write them. Instants are epoch ms; the zone is the user's setting. */
export { humanise } from "../../src/core/series.ts";

export type Zone = "utc" | "local";

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === "utc" && { timeZone: "UTC" }) });
    formats.set(key, format);
  }
  return format;
}

/** `5 Mar 06:00`; with the year when asked: `5 Mar 2001 06:00`. */
export function formatTime(at: number, zone: Zone, options: { readonly year?: boolean } = {}): string {
  return `${formatDate(at, zone, options)} ${formatClock(at, zone)}`;
}

/** `5 Mar`; with the year when asked: `5 Mar 2001`; without the day when asked: `Mar`. */
export function formatDate(
  at: number,
  zone: Zone,
  { year = false, day = true }: { readonly year?: boolean; readonly day?: boolean } = {},
): string {
  return dateFormat(zone, {
    ...(day && { day: "numeric" }),
    month: "short",
    ...(year && { year: "numeric" }),
  }).format(at);
}

/** `Mon 5 Mar 2001, 06:00 UTC`: where there is room for no doubt. */
export function formatFullTime(at: number, zone: Zone): string {
  const date = dateFormat(zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(at);
  return `${date.replace(",", "")}, ${formatClock(at, zone)} ${zoneName(at, zone)}`;
}

/** `06:00`; with seconds when there are any. */
export function formatClock(at: number, zone: Zone): string {
  const seconds = at % 60_000 !== 0;
  return dateFormat(zone, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds && { second: "2-digit" }),
    hourCycle: "h23",
  }).format(at);
}

/** `UTC`, or the local zone's short name at that instant. */
export function zoneName(at: number, zone: Zone): string {
  if (zone === "utc") return "UTC";
  const parts = dateFormat(zone, { timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "local";
}

/** A length of time in its two largest units: `2 d 4 h`, `35 min`, `12 s`, `1.4 s`, `230 ms`. */
export function formatLength(millis: number): string {
  const ms = Math.max(0, millis);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  const units: [string, number][] = [
    ["w", 604_800_000],
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  const first = units.findIndex(([, size]) => ms >= size);
  const [name, size] = units[first]!;
  const [nextName, nextSize] = units[first + 1] ?? ["", Number.POSITIVE_INFINITY];
  const rest = Math.floor((ms % size) / nextSize);
  return `${Math.floor(ms / size)} ${name}${rest > 0 && nextName !== "s" ? ` ${rest} ${nextName}` : ""}`;
}

/** By the digits after the point. */
const NUMBERS = [0, 1, 2, 3].map((digits) => new Intl.NumberFormat("en-US", { maximumFractionDigits: digits }));

/** At most four significant digits below a thousand, whole above; thousands apart; a dash where there is none. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 1_000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return minus(NUMBERS[digits]!.format(value));
}

/** A deviation with its sign, in half bands: `−2.41`. */
export function formatDeviation(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value > 0 ? "+" : ""}${minus(value.toFixed(digits))}`;
}

/** How far `actual` is from `expected`, signed: `−93%`; empty where that means nothing. */
export function formatPercent(actual: number | null | undefined, expected: number | null | undefined): string {
  const share = difference(actual, expected);
  if (share === null) return "";
  return `${share > 0 ? "+" : ""}${minus(String(Math.round(share * 100)))}%`;
}

/** actual / expected − 1; null where one is missing, or where a share means nothing: below zero, or of nothing. */
export function difference(actual: number | null | undefined, expected: number | null | undefined): number | null {
  if (actual == null || expected == null || !(actual >= 0) || !(expected > 0)) return null;
  return actual / expected - 1;
}

/** `$1,231.40`. */
export function formatDollars(amount: number): string {
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** `1.4 MB`, in powers of 1,000 as Athena bills. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 row`, `2,000 rows`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${NUMBERS[0]!.format(n)} ${n === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function list(words: readonly string[], most = 4): string {
  const shown = words.length > most ? [...words.slice(0, most - 1), `${words.length - most + 1} more`] : words;
  if (shown.length <= 1) return shown[0] ?? "";
  return `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

function minus(text: string): string {
  return text.replace("-", "−");
}

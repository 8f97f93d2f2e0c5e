/**
 * Date formats: MySQL's (date_format, date_parse) and Joda's (format_datetime, parse_datetime) as DuckDB's strftime. A letter without
 * a counterpart gives undefined, and the caller refuses it.
 */

export interface Format {
  readonly format: string;
  /** The part of the format that has no counterpart. */
  readonly unsupported?: string;
  /** Whether the format holds a time zone. */
  readonly zone?: boolean;
}

const MYSQL: Record<string, string> = {
  a: "%a",
  b: "%b",
  c: "%-m",
  d: "%d",
  e: "%-d",
  f: "%f",
  H: "%H",
  h: "%I",
  I: "%I",
  i: "%M",
  j: "%j",
  k: "%-H",
  l: "%-I",
  M: "%B",
  m: "%m",
  p: "%p",
  r: "%I:%M:%S %p",
  S: "%S",
  s: "%S",
  T: "%H:%M:%S",
  v: "%V",
  W: "%A",
  x: "%G",
  Y: "%Y",
  y: "%y",
  "%": "%%",
};

/** https://trino.io/docs/current/functions/datetime.html#mysql-date-functions */
export function mysqlFormat(format: string): Format {
  let unsupported: string | undefined;
  // %D, %U, %u, %V, %w and %X are refused by Trino too; any other letter stands for itself.
  const result = format.replace(/%(.)/gs, (specifier: string, letter: string) => {
    if ("DUuVwX".includes(letter)) unsupported ??= specifier;
    return MYSQL[letter] ?? letter;
  });
  return unsupported === undefined ? { format: result } : { format: result, unsupported };
}

const JODA: Record<string, string> = {
  yyyy: "%Y",
  YYYY: "%Y",
  y: "%Y",
  yy: "%y",
  xxxx: "%G",
  ww: "%V",
  e: "%u",
  MMMM: "%B",
  MMM: "%b",
  MM: "%m",
  M: "%-m",
  dd: "%d",
  d: "%-d",
  DDD: "%j",
  EEEE: "%A",
  EEE: "%a",
  EE: "%a",
  E: "%a",
  HH: "%H",
  H: "%-H",
  hh: "%I",
  h: "%-I",
  mm: "%M",
  m: "%-M",
  ss: "%S",
  s: "%-S",
  SSS: "%g",
  SSSSSS: "%f",
  a: "%p",
};

/** https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html */
export function jodaFormat(format: string): Format {
  let unsupported: string | undefined;
  let zone = false;
  const result = format.replace(/''|'([^']*)'|([a-zA-Z])\2*|%/g, (part: string, literal: string | undefined) => {
    if (part === "''") return "'";
    if (part === "%") return "%%";
    if (literal !== undefined) return literal.replaceAll("%", "%%");
    if (part === "Z" || part === "ZZ") {
      zone = true;
      return "%z";
    }
    const written = JODA[part];
    if (written === undefined) unsupported ??= part;
    return written ?? part;
  });
  return { format: result, ...(unsupported !== undefined && { unsupported }), ...(zone ? { zone } : {}) };
}

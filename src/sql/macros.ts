/**
 * What DuckDB lacks of Trino's functions, or answers differently, as macros in the schema `trino`. The engine runs this once for
 * each database; macros are expanded when a statement is bound and cost nothing while it runs.
 *
 * A failure of Trino's is a cast that fails with the words of the failure (`fail`): DuckDB's own error() is volatile, which TRY
 * does not take. `engineMessage` takes the words out again.
 */
export const MACROS = `
CREATE SCHEMA IF NOT EXISTS trino;
CREATE OR REPLACE MACRO trino.fail(words) AS CAST('trino: ' || words AS BOOLEAN);
CREATE OR REPLACE MACRO trino.unless(bad, words, result) AS
  CASE WHEN CASE WHEN bad THEN trino.fail(words) ELSE false END THEN NULL ELSE result END;

-- Numbers
CREATE OR REPLACE MACRO trino.at_least(n, least) AS trino.unless(n < least, 'Offset must be at least ' || least, n);
CREATE OR REPLACE MACRO trino.quotient(a, b) AS trino.unless(b = 0, 'Division by zero', a // b);
CREATE OR REPLACE MACRO trino.remainder(a, b) AS trino.unless(b = 0, 'Division by zero', a % b);
CREATE OR REPLACE MACRO trino.half_up(a, b) AS
  a // b + CASE WHEN 2 * abs(a % b) >= abs(b) THEN CASE WHEN (a < 0) = (b < 0) THEN 1 ELSE -1 END ELSE 0 END;
CREATE OR REPLACE MACRO trino.decimal_quotient(a, b) AS
  trino.unless(b = 0, 'Division by zero', trino.half_up(CAST(a AS HUGEINT), CAST(b AS HUGEINT)));
CREATE OR REPLACE MACRO trino.natural_log(x) AS
  CASE WHEN x > 0 THEN ln(x) WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) END;
CREATE OR REPLACE MACRO trino.checked_log2(x) AS
  CASE WHEN x > 0 THEN log2(x) WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) END;
CREATE OR REPLACE MACRO trino.checked_log10(x) AS
  CASE WHEN x > 0 THEN log10(x) WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) END;
CREATE OR REPLACE MACRO trino.square_root(x) AS CASE WHEN x >= 0 THEN sqrt(x) WHEN x < 0 THEN CAST('NaN' AS DOUBLE) END;
CREATE OR REPLACE MACRO trino.cube_root(x) AS
  CASE WHEN pow(round(cbrt(x)), 3) = x THEN round(cbrt(x)) ELSE cbrt(x) END;
CREATE OR REPLACE MACRO trino.bucket(x, lo, hi, n) AS
  trino.unless(n <= 0 OR lo = hi, 'bucketCount must be greater than 0 and bounds must differ',
    CASE WHEN lo < hi THEN CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1
      ELSE CAST(floor(CAST(n AS DOUBLE) * (x - lo) / (hi - lo)) AS BIGINT) + 1 END
    ELSE CASE WHEN x > lo THEN 0 WHEN x <= hi THEN n + 1
      ELSE CAST(floor(CAST(n AS DOUBLE) * (lo - x) / (lo - hi)) AS BIGINT) + 1 END END);
CREATE OR REPLACE MACRO trino.bucket_of(x, bins) AS
  CASE WHEN x IS NULL OR bins IS NULL THEN NULL ELSE len(list_filter(bins, lambda b: b <= x)) END;
CREATE OR REPLACE MACRO trino.in_base(x, base) AS
  CASE WHEN x < 0 THEN '-' || lower(to_base(-x, CAST(base AS INTEGER))) ELSE lower(to_base(x, CAST(base AS INTEGER))) END;
CREATE OR REPLACE MACRO trino.digit(c) AS strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1;
CREATE OR REPLACE MACRO trino.number_in(s, base) AS
  trino.unless(base < 2 OR base > 36, 'Radix must be between 2 and 36',
    trino.unless(NOT regexp_full_match(s, '[+-]?[0-9A-Za-z]+') OR len(list_filter(string_split(lower(ltrim(s, '+-')), ''), lambda c: trino.digit(c) >= base)) > 0,
      'Not a valid base-' || base || ' number: ' || s,
      CAST(list_reduce(list_transform(string_split(lower(ltrim(s, '+-')), ''), lambda c: CAST(trino.digit(c) AS HUGEINT)), lambda a, d: a * base + d)
        * CASE WHEN starts_with(s, '-') THEN -1 ELSE 1 END AS BIGINT)));
CREATE OR REPLACE MACRO trino.bits(x, width) AS
  trino.unless(width < 2 OR width > 64 OR x >= pow(2, width - 1) OR x < -pow(2, width - 1), 'Number must be representable with the bits specified',
    CASE WHEN x >= 0 THEN bit_count(CAST(x AS BIGINT)) ELSE bit_count(CAST(x AS BIGINT)) - (64 - width) END);

-- Comparisons with NaN, which equals nothing in Trino and everything greater in DuckDB
CREATE OR REPLACE MACRO trino.real_number(x) AS CASE WHEN isnan(CAST(x AS DOUBLE)) THEN NULL ELSE x END;

-- Casts
CREATE OR REPLACE MACRO trino.varchar_to_bigint(s) AS
  trino.unless(NOT regexp_full_match(s, '[+-]?[0-9]+'), 'Cannot cast ''' || s || ''' to BIGINT', CAST(s AS BIGINT));
CREATE OR REPLACE MACRO trino.varchar_to_double(s) AS
  trino.unless(NOT regexp_full_match(s, '\\s*[+-]?(NaN|Infinity|([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?)\\s*'),
    'Cannot cast ''' || s || ''' to DOUBLE', CAST(regexp_replace(trim(s), '[dDfF]$', '') AS DOUBLE));
CREATE OR REPLACE MACRO trino.varchar_to_boolean(s) AS
  trino.unless(lower(s) NOT IN ('true', 't', '1', 'false', 'f', '0'), 'Cannot cast ''' || s || ''' to BOOLEAN', lower(s) IN ('true', 't', '1'));
CREATE OR REPLACE MACRO trino.varchar_to_date(s) AS
  trino.unless(NOT regexp_full_match(s, '\\s*[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}\\s*'), 'Value cannot be cast to date: ' || s, CAST(trim(s) AS DATE));
CREATE OR REPLACE MACRO trino.varchar_to_timestamp(s) AS
  trino.unless(NOT regexp_full_match(s, '[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}( ([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{1,6})?)?)?'),
    'Value cannot be cast to timestamp: ' || s, CAST(s AS TIMESTAMP));
CREATE OR REPLACE MACRO trino.timestamp_text(t, digits) AS
  CASE WHEN digits = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S') ELSE strftime(t, '%Y-%m-%d %H:%M:%S.') || left(strftime(t, '%f'), digits) END;
CREATE OR REPLACE MACRO trino.iso_text(t, digits) AS
  CASE WHEN digits = 0 THEN strftime(t, '%Y-%m-%dT%H:%M:%S') ELSE strftime(t, '%Y-%m-%dT%H:%M:%S.') || left(strftime(t, '%f'), digits) END;
CREATE OR REPLACE MACRO trino.rounded_to(t, digits) AS
  make_timestamp(CAST(((epoch_us(t) + CAST(pow(10, 6 - digits) // 2 AS BIGINT)) // CAST(pow(10, 6 - digits) AS BIGINT)
    - CASE WHEN (epoch_us(t) + CAST(pow(10, 6 - digits) // 2 AS BIGINT)) < 0
        AND (epoch_us(t) + CAST(pow(10, 6 - digits) // 2 AS BIGINT)) % CAST(pow(10, 6 - digits) AS BIGINT) <> 0 THEN 1 ELSE 0 END)
    * CAST(pow(10, 6 - digits) AS BIGINT) AS BIGINT));

-- Dates and times
CREATE OR REPLACE MACRO trino.iso_date(s) AS
  CASE WHEN regexp_full_match(s, '[0-9]{4}-W[0-9]{2}-[1-7]') THEN CAST(strptime(s, '%G-W%V-%u') AS DATE)
    WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{3}') THEN CAST(strptime(s, '%Y-%j') AS DATE)
    WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{2}') THEN CAST(s || '-01' AS DATE)
    ELSE trino.unless(NOT regexp_full_match(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}'), 'Invalid format: "' || s || '"', CAST(s AS DATE)) END;
CREATE OR REPLACE MACRO trino.iso_wall(s) AS
  trino.unless(NOT regexp_full_match(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?'),
    'Invalid format: "' || s || '"',
    CAST(substr(s, 1, 10) || ' ' || coalesce(nullif(regexp_extract(s, 'T([0-9]{2})', 1), ''), '00') || ':'
      || coalesce(nullif(regexp_extract(s, 'T[0-9]{2}:([0-9]{2})', 1), ''), '00') || ':'
      || coalesce(nullif(regexp_extract(s, 'T[0-9]{2}:[0-9]{2}:([0-9]{2})', 1), ''), '00') || '.'
      || coalesce(nullif(regexp_extract(s, '[.,]([0-9]{1,3})', 1), ''), '0') AS TIMESTAMP));
CREATE OR REPLACE MACRO trino.iso_offset_minutes(s) AS
  CASE WHEN regexp_matches(s, 'T.*[+-][0-9]{2}(:?[0-9]{2})?$')
    THEN (CASE WHEN regexp_extract(s, 'T.*([+-])[0-9]{2}(:?[0-9]{2})?$', 1) = '-' THEN -1 ELSE 1 END)
      * (CAST(regexp_extract(s, 'T.*[+-]([0-9]{2})(:?[0-9]{2})?$', 1) AS INTEGER) * 60
        + coalesce(CAST(nullif(regexp_extract(s, 'T.*[+-][0-9]{2}:?([0-9]{2})$', 1), '') AS INTEGER), 0))
    WHEN s IS NOT NULL THEN 0 END;
CREATE OR REPLACE MACRO trino.iso_instant(s) AS
  timezone('UTC', trino.iso_wall(s) - to_minutes(trino.iso_offset_minutes(s)));
CREATE OR REPLACE MACRO trino.from_unixtime(x) AS timezone('UTC', epoch_ms(CAST(floor(CAST(x AS DOUBLE) * 1000 + 0.5) AS BIGINT)));
CREATE OR REPLACE MACRO trino.offset_text(wall, utc) AS
  CASE WHEN wall < utc THEN '-' ELSE '+' END || strftime(make_timestamp(abs(epoch_us(wall) - epoch_us(utc))), '%H:%M');
CREATE OR REPLACE MACRO trino.micros(i) AS epoch_us(TIMESTAMP '1970-01-01 00:00:00' + i);
CREATE OR REPLACE MACRO trino.interval_part(i, unit, many) AS CAST(trino.micros(i) // unit % many AS BIGINT);
CREATE OR REPLACE MACRO trino.interval_text(i) AS
  CASE WHEN trino.micros(i) < 0 THEN '-' ELSE '' END || CAST(abs(trino.micros(i)) // 86400000000 AS BIGINT) || ' '
    || strftime(make_timestamp(CAST(abs(trino.micros(i)) % 86400000000 AS BIGINT)), '%H:%M:%S.%g');
CREATE OR REPLACE MACRO trino.months_apart(a, b) AS
  CASE WHEN b >= a THEN
    (year(b) - year(a)) * 12 + month(b) - month(a)
      - CASE WHEN a + to_months(CAST((year(b) - year(a)) * 12 + month(b) - month(a) AS INTEGER)) > b THEN 1 ELSE 0 END
  ELSE
    (year(b) - year(a)) * 12 + month(b) - month(a)
      + CASE WHEN a + to_months(CAST((year(b) - year(a)) * 12 + month(b) - month(a) AS INTEGER)) < b THEN 1 ELSE 0 END
  END;

-- Text
CREATE OR REPLACE MACRO trino.blanks() AS ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31)
  || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197) || chr(8198) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8287) || chr(12288);
CREATE OR REPLACE MACRO trino.codepoint(s) AS trino.unless(length(s) <> 1, 'Input string must be a single character string', unicode(s));
CREATE OR REPLACE MACRO trino.replace_text(s, search, substitute) AS
  trino.unless(search = '', 'replace() with an empty search text differs here', replace(s, search, substitute));
CREATE OR REPLACE MACRO trino.reverse_text(s) AS
  CASE WHEN s IS NOT NULL THEN array_to_string(list_reverse(regexp_extract_all(s, '(?s:.)')), '') END;
CREATE OR REPLACE MACRO trino.split_text(s, d) AS trino.unless(d = '', 'The delimiter may not be the empty string', string_split(s, d));
CREATE OR REPLACE MACRO trino.split_limit(s, d, n) AS
  trino.unless(n <= 0, 'Limit must be positive', CASE WHEN len(trino.split_text(s, d)) <= n THEN trino.split_text(s, d)
    ELSE list_append(list_slice(trino.split_text(s, d), 1, n - 1), array_to_string(list_slice(trino.split_text(s, d), n, len(trino.split_text(s, d))), d)) END);
CREATE OR REPLACE MACRO trino.split_nth(s, d, n) AS
  trino.unless(n <= 0, 'Index must be greater than zero', CASE WHEN n <= len(trino.split_text(s, d)) THEN (trino.split_text(s, d))[n] END);
CREATE OR REPLACE MACRO trino.pairs_of(s, entry, pair) AS
  list_transform(list_filter(string_split(s, entry), lambda e, i: e <> '' OR i < len(string_split(s, entry))), lambda e:
    {'k': trino.unless(len(string_split(e, pair)) <> 2, 'Key-value delimiter must appear exactly once in each entry', string_split(e, pair)[1]),
     'v': string_split(e, pair)[2]});
CREATE OR REPLACE MACRO trino.split_map(s, entry, pair) AS
  map_from_entries(list_transform(trino.pairs_of(s, entry, pair), lambda e: {'key': e.k, 'value': e.v}));
CREATE OR REPLACE MACRO trino.tail_of(s, start) AS
  CASE WHEN start = 0 OR start < -length(s) OR start > length(s) THEN CASE WHEN s IS NOT NULL THEN '' END ELSE substring(s, CAST(start AS BIGINT)) END;
CREATE OR REPLACE MACRO trino.part_of(s, start, size) AS
  CASE WHEN s IS NULL OR start IS NULL OR size IS NULL THEN NULL
    WHEN start = 0 OR size <= 0 OR start < -length(s) OR start > length(s) THEN '' ELSE substring(s, CAST(start AS BIGINT), CAST(size AS BIGINT)) END;
CREATE OR REPLACE MACRO trino.levenshtein_text(a, b) AS
  trino.unless(strlen(a) <> length(a) OR strlen(b) <> length(b), 'levenshtein_distance beyond ASCII is not supported here', levenshtein(a, b));
CREATE OR REPLACE MACRO trino.hamming_text(a, b) AS
  trino.unless(length(a) <> length(b), 'The input strings to hamming_distance function must have the same length',
    trino.unless(strlen(a) <> length(a) OR strlen(b) <> length(b), 'hamming_distance beyond ASCII is not supported here',
      CASE WHEN a = '' THEN 0 ELSE hamming(a, b) END));
-- URLs as java.net.URI reads them: what is none has no parts, and a part that is not there is an empty text
CREATE OR REPLACE MACRO trino.url_or_null(u) AS
  CASE WHEN regexp_full_match(u, '(?:[A-Za-z][A-Za-z0-9+.-]*:(?:[^#]+)|[^:#]*|[^:#/?]*[/?][^#]*)(?:#[^#]*)?')
    AND regexp_full_match(u, '(?:[A-Za-z0-9_.~:/?#@!$&''()*+,;=-]|%[0-9A-Fa-f]{2})*') AND NOT regexp_full_match(u, '(?:[A-Za-z][A-Za-z0-9+.-]*:)?//') THEN u
    WHEN regexp_matches(u, '[^ -~]|\\[|\\]') THEN trino.unless(true, 'A URL beyond ASCII or with square brackets is not read here', u) END;
CREATE OR REPLACE MACRO trino.url_hierarchy(u) AS CASE WHEN regexp_matches(trino.url_or_null(u), '^[A-Za-z][A-Za-z0-9+.-]*:[^/]') THEN '' ELSE trino.url_or_null(u) END;
CREATE OR REPLACE MACRO trino.url_text(s) AS
  trino.unless(regexp_matches(s, '%[89A-Fa-f]'), 'An escape beyond ASCII in a URL is not read here', url_decode(s));
CREATE OR REPLACE MACRO trino.url_part(u) AS regexp_extract(trino.url_or_null(u), '^([A-Za-z][A-Za-z0-9+.-]*):', 1);
CREATE OR REPLACE MACRO trino.url_path(u) AS trino.url_text(regexp_extract(trino.url_hierarchy(u), '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)', 1));
CREATE OR REPLACE MACRO trino.url_query(u) AS trino.url_text(regexp_extract(trino.url_hierarchy(u), '^[^?#]*\\?([^#]*)', 1));
CREATE OR REPLACE MACRO trino.url_fragment(u) AS trino.url_text(regexp_extract(trino.url_or_null(u), '#(.*)$', 1));
CREATE OR REPLACE MACRO trino.url_server(u, part) AS regexp_extract(trino.url_hierarchy(u),
  '^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\\.?|[0-9]{1,3}(?:\\.[0-9]{1,3}){3})(?::([0-9]*))?(?:[/?#]|$)', part);
CREATE OR REPLACE MACRO trino.url_port(u) AS CAST(nullif(trino.url_server(u, 2), '') AS BIGINT);
CREATE OR REPLACE MACRO trino.matched(s, p, g, r) AS CASE WHEN regexp_matches(s, p) THEN r END;
CREATE OR REPLACE MACRO trino.sure_group(r) AS
  trino.unless(r = '', 'Whether this group of the regular expression took part cannot be told here', r);
CREATE OR REPLACE MACRO trino.no_final_break(s) AS
  trino.unless(ends_with(s, chr(10)), 'A text that ends in a line break differs for $ in a regular expression', s);

-- Arrays
CREATE OR REPLACE MACRO trino.any_of(flags) AS
  CASE WHEN flags IS NULL THEN NULL WHEN len(list_filter(flags, lambda f: f)) > 0 THEN true
    WHEN len(list_filter(flags, lambda f: f IS NULL)) > 0 THEN NULL ELSE false END;
CREATE OR REPLACE MACRO trino.all_of(flags) AS
  CASE WHEN flags IS NULL THEN NULL WHEN len(list_filter(flags, lambda f: NOT f)) > 0 THEN false
    WHEN len(list_filter(flags, lambda f: f IS NULL)) > 0 THEN NULL ELSE true END;
CREATE OR REPLACE MACRO trino.distinct_of(l) AS list_filter(l, lambda e, i: list_position(l, e) = i);
CREATE OR REPLACE MACRO trino.intersection(a, b) AS
  CASE WHEN b IS NOT NULL THEN list_filter(trino.distinct_of(a), lambda e: coalesce(list_position(b, e), 0) > 0) END;
CREATE OR REPLACE MACRO trino.difference(a, b) AS
  CASE WHEN b IS NOT NULL THEN list_filter(trino.distinct_of(a), lambda e: coalesce(list_position(b, e), 0) = 0) END;
CREATE OR REPLACE MACRO trino.some_null(l) AS len(list_filter(l, lambda e: e IS NULL)) > 0;
CREATE OR REPLACE MACRO trino.same_elements(a, b) AS
  CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) THEN false
    WHEN trino.some_null(a) OR trino.some_null(b) THEN
      CASE WHEN len(list_filter(range(1, len(a) + 1), lambda i: a[i] <> b[i])) > 0 THEN false END
    ELSE a = b END;
CREATE OR REPLACE MACRO trino.largest(l) AS CASE WHEN NOT trino.some_null(l) THEN list_max(l) END;
CREATE OR REPLACE MACRO trino.largest_number(l) AS CASE WHEN NOT trino.some_null(l) THEN
  coalesce(list_max(list_filter(l, lambda x: NOT isnan(x))), list_max(l)) END;
CREATE OR REPLACE MACRO trino.smallest(l) AS CASE WHEN NOT trino.some_null(l) THEN list_min(l) END;
CREATE OR REPLACE MACRO trino.place_of(l, e) AS
  CASE WHEN l IS NULL OR e IS NULL THEN NULL ELSE CAST(coalesce(list_position(l, e), 0) AS BIGINT) END;
CREATE OR REPLACE MACRO trino.without(l, e) AS CASE WHEN e IS NOT NULL THEN list_filter(l, lambda x: x IS NULL OR x <> e) END;
CREATE OR REPLACE MACRO trino.has(l, e) AS
  CASE WHEN l IS NULL OR e IS NULL THEN NULL WHEN list_contains(l, e) THEN true WHEN trino.some_null(l) THEN NULL ELSE false END;
CREATE OR REPLACE MACRO trino.overlap(a, b) AS
  CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true
    WHEN (trino.some_null(a) AND len(b) > 0) OR (trino.some_null(b) AND len(a) > 0) THEN NULL ELSE false END;
CREATE OR REPLACE MACRO trino.has_run(a, b) AS
  CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE len(list_filter(range(0, len(a) - len(b) + 1), lambda i: list_slice(a, i + 1, i + len(b)) = b)) > 0 END;
CREATE OR REPLACE MACRO trino.nth(l, i) AS trino.unless(i = 0, 'SQL array indices start at 1', l[i]);
CREATE OR REPLACE MACRO trino.subscript(l, i) AS
  trino.unless(i <= 0, 'Array subscript must be at least 1', trino.unless(i > len(l), 'Array subscript must be less than or equal to array length', l[i]));
CREATE OR REPLACE MACRO trino.entry(m, k) AS trino.unless(NOT map_contains(m, k), 'Key not present in map', m[k]);
CREATE OR REPLACE MACRO trino.part_of_list(l, start, size) AS
  trino.unless(start = 0, 'SQL array indices start at 1', trino.unless(size < 0, 'length must be greater than or equal to 0',
    CASE WHEN start > 0 THEN list_slice(l, start, start + size - 1)
      WHEN -start > len(l) OR size = 0 THEN list_slice(l, 1, 0)
      ELSE list_slice(l, len(l) + start + 1, least(len(l), len(l) + start + size)) END));
CREATE OR REPLACE MACRO trino.trimmed(l, n) AS
  trino.unless(n < 0 OR n > len(l), 'size must be between 0 and the array cardinality', list_slice(l, 1, len(l) - n));
CREATE OR REPLACE MACRO trino.sequence_of(a, b, step) AS
  trino.unless(step = 0 OR (step > 0 AND b < a) OR (step < 0 AND b > a), 'sequence stop value should be on the side of the step', generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CAST(step AS BIGINT)));
CREATE OR REPLACE MACRO trino.series(a, b) AS
  generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CASE WHEN a <= b THEN 1 ELSE -1 END);
CREATE OR REPLACE MACRO trino.moments(a, b, step) AS
  trino.unless((a + step > a AND b < a) OR (a + step < a AND b > a) OR a + step = a, 'sequence stop value should be on the side of the step', generate_series(a, b, step));
CREATE OR REPLACE MACRO trino.months_series(a, b, step) AS
  trino.unless((a + step > a AND b < a) OR (a + step < a AND b > a) OR a + step = a, 'sequence stop value should be on the side of the step',
    list_transform(range(0, trino.months_apart(a, b) // (datepart('year', step) * 12 + datepart('month', step)) + 1),
      lambda i: a + to_months(CAST(i * (datepart('year', step) * 12 + datepart('month', step)) AS INTEGER))));

-- Maps
CREATE OR REPLACE MACRO trino.counts(h) AS
  CASE WHEN h IS NOT NULL THEN map_from_entries(list_transform(map_entries(h), lambda e: {'key': e.key, 'value': CAST(e.value AS BIGINT)})) END;
CREATE OR REPLACE MACRO trino.first_of_key(entries) AS
  CASE WHEN len(entries) = len(list_distinct(list_transform(entries, lambda e: e.k))) THEN entries
    ELSE list_filter(entries, lambda e, i: list_position(list_transform(entries, lambda o: o.k), e.k) = i) END;
CREATE OR REPLACE MACRO trino.map_of_pairs(entries) AS
  CASE WHEN entries IS NOT NULL THEN map_from_entries(list_transform(trino.first_of_key(list_filter(entries, lambda e: e.k IS NOT NULL)),
    lambda e: {'key': e.k, 'value': e.v})) END;
CREATE OR REPLACE MACRO trino.multimap_of_pairs(entries) AS
  CASE WHEN entries IS NOT NULL THEN map_from_entries(list_transform(list_distinct(list_transform(list_filter(entries, lambda e: e.k IS NOT NULL), lambda e: e.k)),
    lambda key: {'key': key, 'value': list_transform(list_filter(entries, lambda e: e.k = key), lambda e: e.v)})) END;
CREATE OR REPLACE MACRO trino.union_of_maps(maps) AS
  CASE WHEN maps IS NOT NULL THEN map_from_entries(list_transform(trino.first_of_key(flatten(list_transform(list_filter(maps, lambda m: m IS NOT NULL),
    lambda m: list_transform(map_entries(m), lambda e: {'k': e.key, 'v': e.value})))), lambda e: {'key': e.k, 'value': e.v})) END;
CREATE OR REPLACE MACRO trino.map_of_rows(rows) AS map_from_entries(list_transform(rows, lambda r: {'key': r[1], 'value': r[2]}));

-- Files: what Athena would write and read otherwise fails
CREATE OR REPLACE MACRO trino.line_text(s, delimiter) AS
  trino.unless(contains(s, delimiter) OR contains(s, chr(10)) OR contains(s, chr(13)) OR s = '\\N',
    'A text with a line break or the delimiter, or of \\N alone, would not be read back from TEXTFILE', s);
CREATE OR REPLACE MACRO trino.partition_text(s) AS
  trino.unless(NOT regexp_full_match(s, '[ -~]+'), 'A partition needs a text of printable ASCII characters', s);
CREATE OR REPLACE MACRO trino.field_text(s, pattern) AS
  trino.unless(NOT regexp_full_match(s, pattern), 'The file has the value ' || s || ', which does not fit its column', s);
CREATE OR REPLACE MACRO trino.json_field(j, name) AS
  trino.unless(len(list_filter(json_keys(j), lambda k: k <> name AND lower(k) = name)) > 0,
    'The file has JSON keys with capitals, which is not done here', json_extract_string(j, '$."' || name || '"'));
CREATE OR REPLACE MACRO trino.of_type(x, types) AS
  trino.unless(NOT list_contains(types, typeof(x)), 'The file has a column of the type ' || typeof(x) || ', which does not fit the declared one', x);

-- JSON
CREATE OR REPLACE MACRO trino.json_or_null(s) AS CASE WHEN json_valid(s) THEN CAST(s AS JSON) END;
CREATE OR REPLACE MACRO trino.json_at(j, path) AS json_extract(j, path);
CREATE OR REPLACE MACRO trino.the_one(texts) AS
  trino.unless(len(texts) > 1, 'This JSON writes the number in two ways, which json_extract_scalar cannot tell apart here', texts[1]);
-- A number as it is written in the text of the JSON, 1.50 or 1e2, which DuckDB does not keep.
CREATE OR REPLACE MACRO trino.written(text, number) AS
  trino.the_one(list_distinct(list_filter(regexp_extract_all(text, '-?[0-9]+(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?'),
    lambda n: TRY_CAST(n AS DOUBLE) = CAST(number AS DOUBLE))));
CREATE OR REPLACE MACRO trino.json_scalar_at(j, path) AS
  CASE WHEN json_type(j, path) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN
    CASE WHEN json_type(j, path) = 'DOUBLE' THEN trino.written(CAST(j AS VARCHAR), json_extract_string(j, path)) ELSE json_extract_string(j, path) END END;
CREATE OR REPLACE MACRO trino.json_length(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE OR REPLACE MACRO trino.json_has(j, value) AS
  CASE WHEN json_type(j) = 'ARRAY' THEN list_contains(list_transform(CAST(j AS JSON[]), lambda e: CAST(e AS VARCHAR)), CAST(value AS VARCHAR)) END;
CREATE OR REPLACE MACRO trino.json_count(j, path) AS
  CASE json_type(j, path) WHEN 'ARRAY' THEN CAST(json_array_length(j, path) AS BIGINT)
    WHEN 'OBJECT' THEN CAST(len(json_keys(j, path)) AS BIGINT) WHEN NULL THEN NULL ELSE CASE WHEN json_type(j, path) IS NOT NULL THEN 0 END END;
CREATE OR REPLACE MACRO trino.json_sorted(j) AS
  '{' || array_to_string(list_transform(list_sort(json_keys(j)), lambda k:
    CAST(to_json(k) AS VARCHAR) || ':' || CAST(json(json_extract(j, '/' || replace(replace(k, '~', '~0'), '/', '~1'))) AS VARCHAR)), ',') || '}';
CREATE OR REPLACE MACRO trino.json_text(j) AS
  CASE WHEN j IS NULL THEN NULL
    WHEN len(regexp_extract_all(CAST(json(j) AS VARCHAR), '[{]"')) = 0 THEN CAST(json(j) AS VARCHAR)
    WHEN len(regexp_extract_all(CAST(json(j) AS VARCHAR), '[{]"')) = 1 AND json_type(j) = 'OBJECT' THEN trino.json_sorted(j)
    ELSE trino.unless(true, 'Trino sorts the keys of nested JSON objects, which is not done here', CAST(json(j) AS VARCHAR)) END;
CREATE OR REPLACE MACRO trino.json_to_text(j) AS
  CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN CASE WHEN trino.fail('Cannot cast a JSON object or array to varchar') THEN NULL END
    WHEN json_type(j) <> 'NULL' THEN json_extract_string(j, '$') END;
`;

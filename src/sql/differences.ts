/** What is refused here and what differs knowingly, as data: the rewriter, the documentation and the tests read the same list. */

/** A function of Trino's that is refused, and why. */
export const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  approx_most_frequent: "its estimate cannot be reproduced.",
  approx_set: "HyperLogLog sketches are Trino's own.",
  merge: "sketches are Trino's own.",
  empty_approx_set: "HyperLogLog sketches are Trino's own.",
  qdigest_agg: "sketches are Trino's own.",
  tdigest_agg: "sketches are Trino's own.",
  value_at_quantile: "sketches are Trino's own.",
  make_set_digest: "sketches are Trino's own.",
  numeric_histogram: "its buckets depend on the order of the rows.",
  checksum: "its hash is Trino's own.",
  entropy: "DuckDB computes it of the values' frequencies, Trino of counts.",
  reduce_agg: "there is no aggregate with lambdas.",
  regr_avgx: "it is not in Trino 414 to 450 in this form.",
  classify: "there is no machine learning here.",
  learn_classifier: "there is no machine learning here.",
  learn_regressor: "there is no machine learning here.",
  ngrams: "it is not done yet.",
  combinations: "it is not done yet.",
  soundex: "it is not done yet.",
  word_stem: "its stemmer is Trino's own.",
  normalize: "only NFC could be done alike.",
  luhn_check: "it is not done yet.",
  human_readable_seconds: "it is not done yet.",
  parse_duration: "it is not done yet.",
  parse_presto_data_size: "it is not done yet.",
  parse_data_size: "it is not done yet.",
  format_number: "it is not done yet.",
  from_unixtime_nanos: "timestamps have six decimals here.",
  from_iso8601_timestamp_nanos: "timestamps have six decimals here.",
  timezone_hour: "the zone is not kept with the value.",
  timezone_minute: "the zone is not kept with the value.",
  timezone: "the zone is not kept with the value.",
  bitwise_left_shift: "it overflows differently.",
  bitwise_right_shift: "it fills differently.",
  bitwise_right_shift_arithmetic: "it is not done yet.",
  crc32: "the function is missing here.",
  xxhash64: "the function is missing here.",
  murmur3: "the function is missing here.",
  spooky_hash_v2_32: "the function is missing here.",
  spooky_hash_v2_64: "the function is missing here.",
  sha512: "the function is missing here.",
  hmac_md5: "the function is missing here.",
  hmac_sha1: "the function is missing here.",
  hmac_sha256: "the function is missing here.",
  hmac_sha512: "the function is missing here.",
  url_encode: "it writes a space as %20 here and as + in Trino.",
  url_decode: "it reads + differently.",
  url_extract_parameter: "it is not done yet.",
  array_histogram: "it is not in Trino 414 to 450.",
  map_entries_agg: "it is not in Trino 414 to 450.",
  multimap_from_entries: "it is not done yet.",
  json_array_get: "Trino deprecates it, since it turns texts into bad JSON.",
  jaro_winkler_similarity: "it is not in Trino 414 to 450.",
  regexp_position: "it is not done yet.",
  normal_cdf: "it is not done yet.",
  inverse_normal_cdf: "it is not done yet.",
  beta_cdf: "it is not done yet.",
  inverse_beta_cdf: "it is not done yet.",
  cosine_similarity: "it is not done yet.",
  wilson_interval_lower: "it is not done yet.",
  wilson_interval_upper: "it is not done yet.",
  uuid: "it is random; take it on Athena.",
  version: "it differs by nature.",
  current_groups: "it differs by nature.",
  to_char: "Teradata's functions are not done.",
  to_timestamp: "Teradata's functions are not done.",
  to_date: "Teradata's functions are not done.",
  geometry_union: "there is no geospatial extension here.",
  st_point: "there is no geospatial extension here.",
  st_distance: "there is no geospatial extension here.",
  st_contains: "there is no geospatial extension here.",
};

/** A construct that is refused. */
export interface Refusal {
  readonly construct: string;
  readonly reason: string;
  /** What to write instead. */
  readonly instead?: string;
  /** A statement that is refused for it; the tests run it. */
  readonly example: string;
}

export const REFUSED: readonly Refusal[] = [
  {
    construct: "MATCH_RECOGNIZE",
    reason: "DuckDB has no row patterns.",
    instead: "lag and lead",
    example:
      "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES count(*) AS c ONE ROW PER MATCH PATTERN (U+) DEFINE U AS U.v > 1)",
  },
  {
    construct:
      "Regular expressions with look-around, back-references, atomic groups, possessive quantifiers, or set operations of classes",
    reason: "DuckDB's engine (RE2) lacks them.",
    instead: "capture groups",
    example: "SELECT regexp_like('ab', 'a(?=b)')",
  },
  {
    construct: "Regular expressions, formats, JSON paths, units and zones that are no literals",
    reason: "They are translated before the statement runs.",
    instead: "a literal",
    example: "SELECT regexp_like(sensor, sensor) FROM t",
  },
  {
    construct: "JSON paths with wildcards or filters",
    reason: "DuckDB reads them differently.",
    instead: "CAST(json_extract(x, '$.a') AS array(varchar)) and UNNEST",
    example: "SELECT json_extract(js, '$.a[*].b') FROM t",
  },
  {
    construct: "JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_TABLE, JSON_OBJECT, JSON_ARRAY",
    reason: "Their lax mode and error clauses are not done.",
    instead: "json_extract_scalar",
    example: "SELECT json_value(js, 'lax $.a') FROM t",
  },
  {
    construct: "CAST of double or real to varchar",
    reason: "The exponent depends on Trino's version.",
    instead: "format('%.2f', x) or a cast to decimal",
    example: "SELECT CAST(v AS varchar) FROM t",
  },
  {
    construct: "CAST of varchar to timestamp with time zone",
    reason: "The zone stands in each text.",
    instead: "from_iso8601_timestamp or with_timezone",
    example: "SELECT CAST('2024-01-01 00:00:00 UTC' AS timestamp with time zone)",
  },
  {
    construct: "A timestamp whose zone comes with each value as a column of a result",
    reason: "DuckDB keeps the instant and not the zone.",
    instead: "x AT TIME ZONE 'UTC', or CAST(x AS timestamp)",
    example: "SELECT from_iso8601_timestamp(iso) FROM t",
  },
  {
    construct: "Texts compared with numbers or dates, and other operands of different types",
    reason: "Trino refuses them too.",
    instead: "CAST",
    example: "SELECT n = '7' FROM t",
  },
  {
    construct: "Aliases of SELECT in WHERE, GROUP BY, HAVING or the same SELECT",
    reason: "Trino refuses them too.",
    instead: "a subquery",
    example: "SELECT n + 1 AS m FROM t WHERE m > 1",
  },
  {
    construct: "NULLS FIRST, contains and array_position over values that may be NaN",
    reason: "DuckDB takes NaN for the largest value, equal to itself.",
    instead: "is_nan first",
    example: "SELECT n FROM t ORDER BY v / v NULLS FIRST",
  },
  {
    construct: "Nested arrays and rows in comparisons, NOT IN over rows",
    reason: "A NULL inside makes them NULL in Trino, and equal in DuckDB.",
    instead: "their parts, or NOT EXISTS",
    example: "SELECT ROW(1, ROW(2)) = ROW(1, ROW(2)) FROM t",
  },
  {
    construct: "IN, BETWEEN and IS DISTINCT over values that may be NaN",
    reason: "NaN equals itself in DuckDB.",
    instead: "= and <, or is_nan",
    example: "SELECT v / v IN (1e0) FROM t",
  },
  {
    construct: "time values",
    reason: "They are rarely used and not done.",
    instead: "timestamps",
    example: "SELECT TIME '10:00:00'",
  },
  {
    construct: "char(n)",
    reason: "It ignores trailing spaces in comparisons.",
    instead: "varchar",
    example: "SELECT CAST('a' AS char(3))",
  },
  {
    construct: "Comparing or grouping json and maps",
    reason: "DuckDB compares their text.",
    instead: "a cast to a type",
    example: "SELECT json_parse('1') = json_parse('1')",
  },
  {
    construct: "CAST of a row to json",
    reason: "An array or an object by Trino's version.",
    instead: "a map",
    example: "SELECT CAST(ROW(1, 2) AS json)",
  },
  {
    construct: "array_sort with a lambda, reduce_agg, numeric_histogram, sketches",
    reason: "DuckDB has nothing alike.",
    example: "SELECT numeric_histogram(2, v) FROM t",
  },
  {
    construct: "NATURAL JOIN",
    reason: "Trino refuses it too.",
    instead: "JOIN ... USING",
    example: "SELECT * FROM t NATURAL JOIN t",
  },
  {
    construct: "FETCH FIRST ... WITH TIES",
    reason: "DuckDB lacks it.",
    instead: "rank()",
    example: "SELECT n FROM t ORDER BY n FETCH FIRST 1 ROW WITH TIES",
  },
  {
    construct: "GROUP BY DISTINCT",
    reason: "DuckDB lacks it.",
    example: "SELECT sensor FROM t GROUP BY DISTINCT sensor",
  },
  {
    construct: "FOR TIMESTAMP AS OF, FOR VERSION AS OF",
    reason: "Local tables keep no versions.",
    example: "SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00 UTC'",
  },
  {
    construct: "information_schema and hidden tables such as t$partitions",
    reason: "They describe the target itself.",
    instead: "SHOW TABLES, SHOW COLUMNS",
    example: "SELECT * FROM information_schema.tables",
  },
  {
    construct: "SHOW CREATE VIEW; SHOW COLUMNS with a pattern; SHOW TABLES with % or regular expressions",
    reason: "The text of a view is not kept; patterns of Athena's have * and | alone.",
    instead: "DESCRIBE; SHOW TABLES 'name*'",
    example: "SHOW TABLES LIKE 't%'",
  },
  {
    construct: "Inline and stored functions (CREATE FUNCTION, WITH FUNCTION)",
    reason: "They are not done.",
    example: "WITH FUNCTION f(x integer) RETURNS integer RETURN x + 1 SELECT f(1)",
  },
  {
    construct: "GRANT, REVOKE, roles, CALL, ANALYZE, ALTER of partitions, transactions",
    reason: "They concern the account's services.",
    example: "GRANT SELECT ON t TO ROLE x",
  },
  {
    construct: "ORC, Avro and ION output",
    reason: "DuckDB cannot write them.",
    instead: "PARQUET, JSON or TEXTFILE",
    example: "UNLOAD (SELECT 1 AS x) TO 's3://b/x/' WITH (format = 'ORC')",
  },
  {
    construct: "JSON in partitions",
    reason: "DuckDB cannot write it.",
    instead: "PARQUET or TEXTFILE in partitions",
    example: "UNLOAD (SELECT n, sensor FROM t) TO 's3://b/x/' WITH (format = 'JSON', partitioned_by = ARRAY['sensor'])",
  },
  {
    construct: "Tables over ORC, Avro, CSV in quotes, and files of other SerDes; partition projection",
    reason: "DuckDB reads them differently or not at all.",
    instead: "PARQUET, TEXTFILE or JSON",
    example: "CREATE EXTERNAL TABLE x (n int) STORED AS ORC LOCATION 's3://b/x/'",
  },
  {
    construct: "Tables over TEXTFILE or JSON with columns of nested types, decimals or varchar(n)",
    reason: "Their texts are read differently.",
    instead: "string, and a cast",
    example: "CREATE EXTERNAL TABLE x (tags array<string>) STORED AS TEXTFILE LOCATION 's3://b/x/'",
  },
  {
    construct:
      "UNLOAD and CREATE TABLE AS to TEXTFILE or JSON, of other types than texts, whole numbers, booleans and dates",
    reason: "Athena writes their texts in a way of its own.",
    instead: "PARQUET, or format_datetime and format",
    example: "UNLOAD (SELECT ts FROM t) TO 's3://b/x/' WITH (format = 'JSON')",
  },
];

/** A difference that is kept: the result is as right, or Athena is the stricter one. */
export interface Difference {
  readonly construct: string;
  readonly athena: string;
  readonly here: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    construct: "approx_distinct, approx_percentile",
    athena: "An estimate with a standard error of a few percent.",
    here: "The exact value; percentiles are a value of the column.",
  },
  {
    construct: "arbitrary, any_value, map_agg with equal keys, rows without ORDER BY",
    athena: "Any of them, run by run.",
    here: "Any of them.",
  },
  { construct: "Recursive queries", athena: "Fail beyond 10 rounds.", here: "Run until they end." },
  {
    construct: "The keys of JSON objects in a result, from json_parse, a literal or a CAST",
    athena: "Sorted.",
    here: "In the order in which they were written; json_format sorts them.",
  },
  {
    construct: "Field names of a row without names",
    athena: "field0, field1 in the result.",
    here: "field0, field1 too; in a table that CREATE TABLE AS makes as well.",
  },
  {
    construct: "UNLOAD and CREATE TABLE AS with a location",
    athena: "Write to the bucket.",
    here: "Write to .forewatch/s3/<bucket>/<path> of the workspace; other locations are refused. INSERT adds no files.",
  },
  {
    construct: "CREATE EXTERNAL TABLE with a location",
    athena: "Reads the files whenever it is asked; partitions once MSCK REPAIR TABLE or ALTER TABLE has added them.",
    here: "Takes the rows that lie there when it is made, of every partition; a location without files is refused.",
  },
  {
    construct: "Sums, averages, deviations, correlations and regressions of doubles",
    athena: "Depend on the order of the rows in the last digits.",
    here: "Do so too, with another order.",
  },
  {
    construct: "SHOW CREATE TABLE",
    athena: "The columns, the format, the location and the properties.",
    here: "The columns and comments.",
  },
  {
    construct: "Databases",
    athena: "As many as there are.",
    here: "One, default: a database before a table's name is left out, SHOW of another is refused.",
  },
  { construct: "Timestamps", athena: "Up to twelve decimals; three in tables.", here: "Six decimals." },
  {
    construct: "The sample of TABLESAMPLE, random, shuffle",
    athena: "Random.",
    here: "Random.",
  },
];

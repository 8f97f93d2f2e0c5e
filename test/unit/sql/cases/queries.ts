/** Whole queries with the rows that Trino's rules give. `source` names a page of https://trino.io/docs/current/. */
export interface QueryCase {
  readonly name: string;
  readonly source: string;
  readonly sql: string;
  readonly rows: readonly (readonly unknown[])[];
}

type Line = readonly [name: string, sql: string, rows: readonly (readonly unknown[])[]];

const D = "2024-01-01 ";
const from = (source: string, lines: readonly Line[]): QueryCase[] =>
  lines.map(([name, sql, rows]) => ({ name, source, sql, rows }));

export const QUERIES: readonly QueryCase[] = [
  ...from("functions/aggregate.html", [
    ["avg of doubles passes over NULL", "SELECT avg(v) FROM t WHERE sensor = 'A'", [[1.5]]],
    ["avg of integers is a double", "SELECT avg(n), typeof(avg(n)) FROM t", [[9, "double"]]],
    [
      "avg of decimals keeps the scale, half up",
      "SELECT avg(price), typeof(avg(price)) FROM t WHERE n < 10",
      [["1.67", "decimal(10,2)"]],
    ],
    ["avg of decimals over nothing", "SELECT avg(price) FROM t WHERE n > 100", [[null]]],
    ["sum of integers is a bigint", "SELECT sum(n), typeof(sum(n)) FROM t", [[45, "bigint"]]],
    ["sum of decimals", "SELECT sum(price), typeof(sum(price)) FROM t", [["10.01", "decimal(38,2)"]]],
    ["sum over nothing is NULL, count is 0", "SELECT sum(n), count(*), count(v) FROM t WHERE n > 100", [[null, 0, 0]]],
    ["count passes over NULL", "SELECT count(*), count(v), count(DISTINCT sensor) FROM t", [[5, 4, 2]]],
    ["FILTER", "SELECT count(*) FILTER (WHERE sensor = 'A'), sum(v) FILTER (WHERE v > 1) FROM t", [[3, 32]]],
    [
      "FILTER on a renamed aggregate",
      "SELECT approx_percentile(n, 0.5) FILTER (WHERE sensor = 'A'), arbitrary(sensor) FILTER (WHERE n = 11) FROM t",
      [[8, "B"]],
    ],
    ["FILTER on avg of decimals", "SELECT avg(price) FILTER (WHERE sensor = 'B') FROM t", [["5.00"]]],
    [
      "stddev is the sample's",
      "SELECT round(stddev(n), 4), round(stddev_samp(n), 4), round(stddev_pop(n), 2) FROM t",
      [[1.5811, 1.5811, 1.41]],
    ],
    ["variance", "SELECT variance(n), var_samp(n), var_pop(n) FROM t", [[2.5, 2.5, 2]]],
    ["stddev of one value is NULL", "SELECT stddev(n) FROM t WHERE n = 7", [[null]]],
    [
      "regression",
      "SELECT round(corr(n, n), 6), regr_slope(n, n), regr_intercept(n, n), covar_pop(n, n), covar_samp(n, n) FROM t",
      [[1, 1, 0, 2, 2.5]],
    ],
    ["max and min, of texts too", "SELECT max(n), min(n), max(sensor), min(ts) FROM t", [[11, 7, "B", `${D}00:00:00`]]],
    [
      "the n largest",
      "SELECT max(n, 2), min(n, 2) FROM t",
      [
        [
          [11, 10],
          [7, 8],
        ],
      ],
    ],
    [
      "max_by and min_by",
      "SELECT max_by(sensor, n), min_by(sensor, n), max_by(n, n, 2) FROM t",
      [["B", "A", [11, 10]]],
    ],
    ["max_by gives NULL where the value is NULL", "SELECT max_by(v, n) FROM t WHERE sensor = 'A'", [[null]]],
    ["bool_and, bool_or, every", "SELECT bool_or(v > 15), bool_and(n > 0), every(n > 7) FROM t", [[true, true, false]]],
    ["count_if", "SELECT count_if(v > 1) FROM t", [[3]]],
    [
      "array_agg in order, with NULLs",
      "SELECT array_agg(v ORDER BY ts DESC) FROM t WHERE sensor = 'A'",
      [[[null, 2, 1]]],
    ],
    ["array_agg DISTINCT", "SELECT array_sort(array_agg(DISTINCT sensor)) FROM t", [[["A", "B"]]]],
    [
      "array_agg with ORDER BY and FILTER",
      "SELECT array_agg(n ORDER BY n DESC) FILTER (WHERE n > 8) FROM t",
      [[[11, 10, 9]]],
    ],
    ["listagg", "SELECT listagg(sensor, ',') WITHIN GROUP (ORDER BY n DESC) FROM t", [["B,B,A,A,A"]]],
    ["approx_distinct", "SELECT approx_distinct(sensor) FROM t", [[2]]],
    ["approx_percentile", "SELECT approx_percentile(x, 0.5) FROM UNNEST(sequence(1, 101)) AS u(x)", [[51]]],
    [
      "approx_percentile of several",
      "SELECT approx_percentile(x, ARRAY[0.25, 0.5, 0.75]) FROM UNNEST(sequence(1, 101)) AS u(x)",
      [[[26, 51, 76]]],
    ],
    ["histogram", "SELECT histogram(sensor)['A'] FROM t", [[3]]],
    ["map_agg", "SELECT map_agg(sensor, n)['B'] FROM t WHERE n IN (7, 10)", [[10]]],
    ["map_agg with equal keys keeps one", "SELECT cardinality(map_agg(sensor, n)) FROM t", [[2]]],
    ["multimap_agg", "SELECT array_sort(multimap_agg(sensor, n)['A']) FROM t", [[[7, 8, 9]]]],
    [
      "map_union",
      "SELECT map_union(m)[2] FROM (VALUES MAP(ARRAY[1], ARRAY['a']), MAP(ARRAY[2], ARRAY['b'])) AS x(m)",
      [["b"]],
    ],
    ["geometric_mean", "SELECT round(geometric_mean(n), 4) FROM t WHERE n IN (8)", [[8]]],
    ["bitwise aggregates", "SELECT bitwise_and_agg(n), bitwise_or_agg(n) FROM t WHERE n < 9", [[0, 15]]],
  ]),
  ...from("functions/window.html", [
    [
      "lag and lead",
      "SELECT n, lag(n) OVER (PARTITION BY sensor ORDER BY ts), lead(n, 1, 0) OVER (PARTITION BY sensor ORDER BY ts) FROM t WHERE sensor = 'A' ORDER BY n",
      [
        [7, null, 8],
        [8, 7, 9],
        [9, 8, 0],
      ],
    ],
    [
      "IGNORE NULLS carries forward",
      "SELECT n, last_value(v) IGNORE NULLS OVER (PARTITION BY sensor ORDER BY ts) FROM t WHERE sensor = 'A' ORDER BY n",
      [
        [7, 1],
        [8, 2],
        [9, 2],
      ],
    ],
    [
      "lag with IGNORE NULLS",
      "SELECT n, lag(v) IGNORE NULLS OVER (ORDER BY n) FROM t ORDER BY n",
      [
        [7, null],
        [8, 1],
        [9, 2],
        [10, 2],
        [11, 10],
      ],
    ],
    [
      "RANGE of an interval",
      "SELECT n, count(*) OVER (PARTITION BY sensor ORDER BY ts RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW) FROM t WHERE sensor = 'A' ORDER BY n",
      [
        [7, 1],
        [8, 2],
        [9, 2],
      ],
    ],
    [
      "ROWS",
      "SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t ORDER BY n",
      [
        [7, 7],
        [8, 15],
        [9, 17],
        [10, 19],
        [11, 21],
      ],
    ],
    [
      "GROUPS",
      "SELECT n, count(*) OVER (ORDER BY sensor GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM t ORDER BY n LIMIT 1",
      [[7, 5]],
    ],
    [
      "rank, dense_rank, row_number, ntile",
      "SELECT sensor, n, rank() OVER (ORDER BY sensor), dense_rank() OVER (ORDER BY sensor), row_number() OVER (ORDER BY n), ntile(2) OVER (ORDER BY n) FROM t ORDER BY n LIMIT 4",
      [
        ["A", 7, 1, 1, 1, 1],
        ["A", 8, 1, 1, 2, 1],
        ["A", 9, 1, 1, 3, 1],
        ["B", 10, 4, 2, 4, 2],
      ],
    ],
    [
      "percent_rank and cume_dist",
      "SELECT percent_rank() OVER (ORDER BY n), cume_dist() OVER (ORDER BY n) FROM t ORDER BY n LIMIT 2",
      [
        [0, 0.2],
        [0.25, 0.4],
      ],
    ],
    [
      "first_value and nth_value",
      "SELECT first_value(n) OVER (ORDER BY n), nth_value(n, 2) OVER (ORDER BY n) FROM t ORDER BY n LIMIT 2",
      [
        [7, null],
        [7, 8],
      ],
    ],
    ["named window", "SELECT sum(n) OVER w FROM t WINDOW w AS (PARTITION BY sensor) ORDER BY 1 LIMIT 1", [[21]]],
    [
      "NULLs last in a window",
      "SELECT n FROM (SELECT n, row_number() OVER (ORDER BY v DESC) AS r FROM t) AS x WHERE r = 5",
      [[9]],
    ],
    [
      "avg of decimals over a window",
      "SELECT avg(price) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t ORDER BY n LIMIT 3",
      [["1.00"], ["1.50"], ["2.01"]],
    ],
  ]),
  ...from("sql/select.html", [
    [
      "GROUP BY position and expression",
      "SELECT date_trunc('hour', ts), count(*) FROM t GROUP BY date_trunc('hour', ts) ORDER BY 1",
      [
        [`${D}00:00:00`, 4],
        [`${D}01:00:00`, 1],
      ],
    ],
    [
      "GROUP BY an expression with a lambda",
      "SELECT any_match(tags, x -> x = 'p'), count(*) FROM t WHERE tags IS NOT NULL GROUP BY any_match(tags, x -> x = 'p') ORDER BY 2, 1",
      [
        [false, 2],
        [true, 2],
      ],
    ],
    [
      "GROUPING SETS and grouping",
      "SELECT sensor, count(*), grouping(sensor) FROM t GROUP BY GROUPING SETS ((sensor), ()) ORDER BY 3, 1",
      [
        ["A", 3, 0],
        ["B", 2, 0],
        [null, 5, 1],
      ],
    ],
    [
      "ROLLUP",
      "SELECT sensor, n > 8, count(*) FROM t GROUP BY ROLLUP (sensor, n > 8) ORDER BY 1, 2",
      [
        ["A", false, 2],
        ["A", true, 1],
        ["A", null, 3],
        ["B", true, 2],
        ["B", null, 2],
        [null, null, 5],
      ],
    ],
    ["CUBE", "SELECT count(*) FROM t GROUP BY CUBE (sensor) ORDER BY 1", [[2], [3], [5]]],
    ["HAVING", "SELECT sensor FROM t GROUP BY sensor HAVING count(*) > 2", [["A"]]],
    ["NULLs last whichever the direction", "SELECT v FROM t ORDER BY v DESC", [[20], [10], [2], [1], [null]]],
    ["NULLS FIRST", "SELECT v FROM t ORDER BY v NULLS FIRST LIMIT 1", [[null]]],
    ["OFFSET before LIMIT", "SELECT n FROM t ORDER BY n OFFSET 1 LIMIT 1", [[8]]],
    ["FETCH FIRST", "SELECT n FROM t ORDER BY n OFFSET 2 ROWS FETCH FIRST 1 ROW ONLY", [[9]]],
    ["LIMIT ALL", "SELECT count(*) FROM (SELECT n FROM t ORDER BY n OFFSET 1 LIMIT ALL) AS x", [[4]]],
    ["ORDER BY an alias", "SELECT -n AS m FROM t ORDER BY m LIMIT 1", [[-11]]],
    [
      "UNION, INTERSECT, EXCEPT",
      "(SELECT 1 UNION SELECT 1) UNION ALL (SELECT 2 INTERSECT SELECT 2) UNION ALL (SELECT 3 EXCEPT SELECT 4) ORDER BY 1",
      [[1], [2], [3]],
    ],
    [
      "VALUES",
      "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS x(i, s) ORDER BY i",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    ["VALUES without brackets", "VALUES 1, 2", [[1], [2]]],
    ["WITH", "WITH a AS (SELECT n FROM t), b(m) AS (SELECT n + 1 FROM a) SELECT max(m) FROM b", [[12]]],
    [
      "WITH RECURSIVE",
      "WITH RECURSIVE r(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT sum(n) FROM r",
      [[10]],
    ],
    [
      "CROSS JOIN UNNEST",
      "SELECT n, tag FROM t CROSS JOIN UNNEST(tags) AS u(tag) ORDER BY n, tag",
      [
        [7, "p"],
        [7, "q"],
        [8, "p"],
        [10, "r"],
      ],
    ],
    [
      "UNNEST WITH ORDINALITY",
      "SELECT n, tag, i FROM t CROSS JOIN UNNEST(tags) WITH ORDINALITY AS u(tag, i) ORDER BY n, i",
      [
        [7, "p", 1],
        [7, "q", 2],
        [8, "p", 1],
        [10, "r", 1],
      ],
    ],
    [
      "UNNEST of a map",
      "SELECT k, x FROM UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) AS u(k, x) ORDER BY k",
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    [
      "UNNEST of arrays of different lengths",
      "SELECT a, b, i FROM UNNEST(ARRAY[1, 2], ARRAY['x']) WITH ORDINALITY AS u(a, b, i) ORDER BY i",
      [
        [1, "x", 1],
        [2, null, 2],
      ],
    ],
    [
      "UNNEST of rows",
      "SELECT a, b FROM UNNEST(ARRAY[ROW(1, 'x'), ROW(2, 'y')]) AS u(a, b) ORDER BY a",
      [
        [1, "x"],
        [2, "y"],
      ],
    ],
    [
      "LEFT JOIN UNNEST keeps rows without elements",
      "SELECT n, tag FROM t LEFT JOIN UNNEST(tags) AS u(tag) ON TRUE WHERE n IN (9, 11) ORDER BY n",
      [
        [9, null],
        [11, null],
      ],
    ],
    ["LATERAL", "SELECT n, m FROM t CROSS JOIN LATERAL (SELECT t.n * 2 AS m) AS x WHERE n = 7", [[7, 14]]],
    [
      "JOIN ON",
      "SELECT title, count(t.n) FROM names LEFT JOIN t ON names.sensor = t.sensor GROUP BY title ORDER BY title",
      [
        ["first", 3],
        ["second", 0],
      ],
    ],
    [
      "JOIN USING puts its columns first",
      "SELECT * FROM names JOIN (SELECT sensor, n FROM t WHERE n = 7) AS x USING (sensor)",
      [["A", "first", 7]],
    ],
    ["FULL JOIN", "SELECT count(*) FROM names FULL JOIN t ON t.sensor = names.sensor", [[6]]],
    [
      "subqueries",
      "SELECT (SELECT max(n) FROM t), EXISTS (SELECT 1 FROM t WHERE n = 7), 7 IN (SELECT n FROM t)",
      [[11, true, true]],
    ],
    [
      "correlated subquery",
      "SELECT title, (SELECT max(n) FROM t WHERE t.sensor = names.sensor) FROM names ORDER BY 1",
      [
        ["first", 9],
        ["second", null],
      ],
    ],
    ["TABLESAMPLE of everything", "SELECT count(*) FROM t TABLESAMPLE BERNOULLI (100)", [[5]]],
    ["alias of a table and schema before its name", "SELECT x.n FROM default.t AS x WHERE x.n = 7", [[7]]],
    ["words that DuckDB reserves as names", 'SELECT user, "end" FROM (VALUES (1, 2)) AS x(user, "end")', [[1, 2]]],
    ["SELECT DISTINCT", "SELECT DISTINCT sensor FROM t ORDER BY sensor", [["A"], ["B"]]],
    ["row fields", "SELECT CAST(ROW(1, 'a') AS ROW(x BIGINT, y VARCHAR)).y, ROW(1, 'b')[2]", [["a", "b"]]],
    ["row fields of a subquery", "SELECT r.x FROM (SELECT CAST(ROW(5) AS ROW(x BIGINT)) AS r) AS q", [[5]]],
    [
      "a series without gaps",
      "WITH g AS (SELECT s.sensor, b FROM (SELECT DISTINCT sensor FROM t) AS s CROSS JOIN UNNEST(sequence(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 01:00:00', INTERVAL '1' HOUR)) AS u(b)) SELECT g.sensor, g.b, count(t.v) FROM g LEFT JOIN t ON t.sensor = g.sensor AND date_trunc('hour', t.ts) = g.b GROUP BY 1, 2 ORDER BY 1, 2",
      [
        ["A", `${D}00:00:00`, 2],
        ["A", `${D}01:00:00`, 0],
        ["B", `${D}00:00:00`, 1],
        ["B", `${D}01:00:00`, 1],
      ],
    ],
    [
      "five-minute floor by date_add",
      "SELECT date_add('minute', -(minute(ts) % 5), date_trunc('minute', ts)) AS b, count(*) FROM t GROUP BY 1 ORDER BY 1 LIMIT 2",
      [
        [`${D}00:00:00`, 3],
        [`${D}00:05:00`, 1],
      ],
    ],
    [
      "five-minute floor by an interval",
      "SELECT date_trunc('hour', ts) + (minute(ts) / 5) * 5 * INTERVAL '1' MINUTE AS b, count(*) FROM t GROUP BY 1 ORDER BY 1 LIMIT 2",
      [
        [`${D}00:00:00`, 3],
        [`${D}00:05:00`, 1],
      ],
    ],
    [
      "five-minute floor by seconds",
      "SELECT CAST(from_unixtime(floor(to_unixtime(ts) / 300) * 300) AS timestamp) AS b, count(*) FROM t GROUP BY 1 ORDER BY 1 LIMIT 2",
      [
        [`${D}00:00:00`, 3],
        [`${D}00:05:00`, 1],
      ],
    ],
    [
      "days in a zone",
      "SELECT CAST(date_trunc('day', ts AT TIME ZONE 'America/New_York') AS timestamp) AS d, count(*) FROM t GROUP BY 1",
      [["2023-12-31 00:00:00", 5]],
    ],
    [
      "ISO texts to wall-clock times",
      "SELECT CAST(from_iso8601_timestamp(iso) AS timestamp), CAST(from_iso8601_timestamp(iso) AT TIME ZONE 'UTC' AS timestamp) FROM t WHERE n = 9",
      [[`${D}00:07:30.5`, "2023-12-31 22:07:30.5"]],
    ],
    [
      "division of counts",
      "SELECT count(*) FILTER (WHERE n > 8) / count(*), 100.0 * count(*) FILTER (WHERE n > 8) / count(*) FROM t",
      [[0, "60.0"]],
    ],
    ["NaN in a filter", "SELECT count(*) FROM t WHERE (v - v) / (v - v) > 0", [[0]]],
    [
      "json of a column",
      "SELECT json_extract_scalar(js, '$.a.b'), CAST(json_extract(js, '$.k') AS ARRAY(INTEGER)) FROM t ORDER BY n LIMIT 3",
      [
        ["x1", [1, 2]],
        ["x2", [3]],
        [null, null],
      ],
    ],
    ["comments stay", "SELECT /* a */ n -- b\nFROM t WHERE n = 7", [[7]]],
    ["characters beyond the basic plane", "SELECT '🦆' AS duck, length('🦆🦆'), n FROM t WHERE n = 7", [["🦆", 2, 7]]],
  ]),
  ...from("functions/aggregate.html#max (NaN as in trinodb/trino#5851)", [
    ["max and min pass over NaN", "SELECT max(x), min(x) FROM (VALUES 1e0, nan(), 3e0) AS u(x)", [[3, 1]]],
    ["max of nothing but NaN", "SELECT is_nan(max(x)) FROM (VALUES nan(), nan()) AS u(x)", [[true]]],
    [
      "max with FILTER passes over NaN",
      "SELECT max(x) FILTER (WHERE x > 0 OR is_nan(x)) FROM (VALUES 1e0, nan(), 3e0) AS u(x)",
      [[3]],
    ],
    [
      "max_by and min_by pass over NaN",
      "SELECT max_by(y, x), min_by(y, x) FROM (VALUES (1e0, 'a'), (nan(), 'b'), (3e0, 'c')) AS u(x, y)",
      [["c", "a"]],
    ],
    [
      "NaN beside numbers, in order",
      "SELECT x FROM (VALUES 1e0, nan(), 3e0) AS u(x) ORDER BY x DESC",
      [["NaN"], [3], [1]],
    ],
  ]),
  ...from("functions/window.html", [
    [
      "GROUPS frames",
      "SELECT n, count(*) OVER (ORDER BY sensor GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t ORDER BY n",
      [
        [7, 3],
        [8, 3],
        [9, 3],
        [10, 5],
        [11, 5],
      ],
    ],
    [
      "an offset that comes with the row",
      "SELECT n, lag(n, n - 7) OVER (ORDER BY n) FROM t ORDER BY n LIMIT 2",
      [
        [7, 7],
        [8, 7],
      ],
    ],
    [
      "RANGE over numbers",
      "SELECT n, sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t ORDER BY n LIMIT 2",
      [
        [7, 15],
        [8, 24],
      ],
    ],
  ]),
  ...from("language/types.html#row", [
    [
      "rows compared in a filter",
      "SELECT count(*) FROM t WHERE (sensor, n) = ('A', 7) OR (sensor, n) IN (SELECT sensor, 8 FROM names)",
      [[2]],
    ],
  ]),
];

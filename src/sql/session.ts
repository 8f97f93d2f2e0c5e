/** Settings that every DuckDB connection needs before it runs rewritten statements. */
export const SESSION: readonly string[] = [
  // Athena's session zone; timestamps without a zone are wall-clock times in both.
  "SET TimeZone = 'UTC'",
  "SET Calendar = 'gregorian'",
  // 7 / 2 = 3 in Trino, and NULLs come last whichever the direction.
  "SET integer_division = true",
  "SET default_null_order = 'nulls_last'",
  // Rows without ORDER BY may come in any order in both; keeping the order of insertion costs memory for nothing.
  "SET preserve_insertion_order = true",
];

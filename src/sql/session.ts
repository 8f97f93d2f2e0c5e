/** Settings that every DuckDB connection needs before it runs rewritten statements. */
export const SESSION: readonly string[] = [
  // Athena's session zone; timestamps without a zone are wall-clock times in both.
  "SET TimeZone = 'UTC'",
  "SET Calendar = 'gregorian'",
  // Whole numbers are divided by the macros; with this setting a double divided by zero would be NULL.
  "SET integer_division = false",
  // NULLs come last whichever the direction.
  "SET default_null_order = 'nulls_last'",
];

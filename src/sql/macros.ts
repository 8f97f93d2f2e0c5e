/** The functions of Trino that DuckDB lacks or answers differently, as macros in the schema `trino`. */
export const MACROS = `CREATE SCHEMA IF NOT EXISTS trino;
`;

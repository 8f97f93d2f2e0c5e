import type { Catalogue } from "../../../../src/sql/index.ts";

/** The tables that the cases ask. `expressions.txt` sees the first row of `t`. */
export const SETUP = `
CREATE TABLE t(sensor VARCHAR, ts TIMESTAMP, v DOUBLE, js VARCHAR, tags VARCHAR[], epoch BIGINT, iso VARCHAR, n INTEGER, price DECIMAL(10, 2));
INSERT INTO t VALUES
  ('A', '2024-01-01 00:00:00', 1, '{"a":{"b":"x1"},"k":[1,2]}', ['p', 'q'], 1704067200, '2024-01-01T00:00:00Z', 7, 1.00),
  ('A', '2024-01-01 00:03:00', 2, '{"a":{"b":"x2"},"k":[3]}', ['p'], 1704067380, '2024-01-01T00:03:00Z', 8, 2.00),
  ('A', '2024-01-01 00:07:30', NULL, '{"a":{}}', [], 1704067650, '2024-01-01T00:07:30.500+02:00', 9, 2.01),
  ('B', '2024-01-01 00:01:00', 10, NULL, ['r'], 1704067260, '2024-01-01T00:01:00Z', 10, NULL),
  ('B', '2024-01-01 01:12:00', 20, NULL, NULL, 1704071520, '2024-01-01T01:12:00Z', 11, 5.00);
CREATE TABLE names(title VARCHAR, sensor VARCHAR);
INSERT INTO names VALUES ('first', 'A'), ('second', 'C');
`;

const columns = (text: string) =>
  text.split(";").map((part) => {
    const [name = "", ...type] = part.trim().split(" ");
    return { name, type: type.join(" ") };
  });

export const CATALOGUE: Catalogue = {
  tables: [
    {
      name: "t",
      comment: "Readings of sensors",
      columns: [
        { name: "sensor", type: "string", comment: "Who measured" },
        ...columns(
          "ts timestamp; v double; js varchar; tags array<string>; epoch bigint; iso varchar; n int; price decimal(10,2)",
        ),
      ],
    },
    { name: "names", columns: columns("title varchar; sensor varchar") },
  ],
};

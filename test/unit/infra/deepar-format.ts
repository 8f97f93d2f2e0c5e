/**
 * DeepAR's input grammar, written from the SageMaker Developer Guide ("DeepAR Forecasting Algorithm", Input/Output Interface):
 * one JSON object a line; `start` is a time without a zone, "YYYY-MM-DD HH:MM:SS"; `target` holds numbers, null or "NaN" for missing
 * values; `cat`, where there is one, is a list of zero-based integers, of the same length in every line.
 */
export function checkDeepArLine(line: string, expected: { readonly cat: number }): string[] {
  const problems: string[] = [];
  if (line.includes("\n")) problems.push("more than a line");
  const value = JSON.parse(line) as Record<string, unknown>;
  const unknown = Object.keys(value).filter((k) => !["start", "target", "cat", "dynamic_feat"].includes(k));
  if (unknown.length > 0) problems.push(`unknown: ${unknown.join(", ")}`);
  if (typeof value.start !== "string" || !/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(value.start))
    problems.push(`start: ${String(value.start)}`);
  const target = value.target;
  if (!Array.isArray(target) || target.length === 0) problems.push("target is no list");
  else if (!target.every((v) => v === null || v === "NaN" || (typeof v === "number" && Number.isFinite(v))))
    problems.push("target holds what is no number");
  const cat = value.cat ?? [];
  if (!Array.isArray(cat) || cat.length !== expected.cat || !cat.every((c) => Number.isInteger(c) && c >= 0))
    problems.push(`cat: ${JSON.stringify(value.cat)}`);
  return problems;
}

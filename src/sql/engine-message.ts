/** Takes the words of a failure raised by a macro out of DuckDB's message about the cast that carried them. */
export function engineMessage(message: string): string {
  const carried = /Could not convert string ['"]trino: (.*?)['"] to ['"]?BOOL/s.exec(message);
  return carried?.[1]?.replaceAll("''", "'") ?? message;
}

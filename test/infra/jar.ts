import { strToU8, zipSync } from "fflate";
import connector from "../../infra/flink/connector.json" with { type: "json" };

const TITLE = "Flink : Connectors : AWS : SQL : Amazon Kinesis Data Streams";

/** A jar without classes that calls itself the connector, in the manifest that Maven writes: enough for an archive. */
export function jarOf(version = connector.version, title = TITLE): Buffer {
  // Lines of a manifest end at 72 bytes and go on after a space.
  const line = (text: string): string =>
    text.length > 72 ? `${text.slice(0, 72)}\r\n${line(` ${text.slice(72)}`)}` : text;
  const manifest = ["Manifest-Version: 1.0", `Implementation-Title: ${title}`, `Implementation-Version: ${version}`];
  const entry = strToU8(`${manifest.map(line).join("\r\n")}\r\n`);
  return Buffer.from(zipSync({ "META-INF/MANIFEST.MF": entry }, { mtime: new Date(2026, 0, 2) }));
}

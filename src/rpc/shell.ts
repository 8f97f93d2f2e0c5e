/** The HTML that a host gives to a webview: one element, one script, one style, and a policy that allows no more. */
import type { PageName } from "./protocol.ts";

export interface Shell {
  readonly page: PageName;
  readonly title: string;
  /** URIs that the webview may load, as `webview.asWebviewUri` gives them. */
  readonly scriptUri: string;
  readonly styleUri: string;
  /** `webview.cspSource`. */
  readonly cspSource: string;
  /** A fresh random value for each document. */
  readonly nonce: string;
}

/** The document of a page under the strict policy: nothing but its own script, style, fonts and images may load. */
export function pageHtml({ page, title, scriptUri, styleUri, cspSource, nonce }: Shell): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'nonce-${nonce}'`,
    `img-src ${cspSource} data:`,
    `font-src ${cspSource}`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta property="csp-nonce" content="${attribute(nonce)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${attribute(title)}</title>
<link rel="stylesheet" href="${attribute(styleUri)}">
</head>
<body data-page="${page}">
<main id="page" aria-busy="true"></main>
<script nonce="${attribute(nonce)}" src="${attribute(scriptUri)}"></script>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function attribute(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ENTITIES[c]!);
}

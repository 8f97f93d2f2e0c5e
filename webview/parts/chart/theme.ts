/** The charts' colours, taken from VS Code's CSS variables, and word of when they change. */
import { PALETTES } from "./palette.ts";

export interface ChartTheme {
  readonly kind: "light" | "dark" | "contrast";
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly actual: string;
  readonly expected: string;
  readonly band: string;
  readonly bandLine: string;
  readonly edge: string;
  readonly breach: string;
  readonly good: string;
  readonly incident: string;
  readonly late: string;
  readonly now: string;
  readonly font: string;
  /** For charts of many lines, whose looks `lineLook` takes from it. */
  readonly palette: readonly string[];
}

let known: { readonly key: string; readonly theme: ChartTheme } | undefined;

/** The theme that the document has now; read anew only when VS Code has restyled it. */
export function readTheme(): ChartTheme {
  const key = `${document.body.className} ${document.documentElement.getAttribute("style")}`;
  if (known?.key !== key) known = { key, theme: takeTheme() };
  return known.theme;
}

function takeTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string, fallback: string) => style.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const classes = document.body.classList;
  const contrast = classes.contains("vscode-high-contrast") || classes.contains("vscode-high-contrast-light");
  const light = classes.contains("vscode-light") || classes.contains("vscode-high-contrast-light");
  const text = get("foreground", light ? "#3b3b3b" : "#cccccc");
  const blue = get("charts-blue", light ? "#1a85ff" : "#3794ff");
  const red = get("charts-red", light ? "#e51400" : "#f14c4c");
  const fade = (color: string, percent: number) => `color-mix(in srgb, ${color} ${percent}%, transparent)`;
  return {
    kind: contrast ? "contrast" : light ? "light" : "dark",
    background: get("editor-background", light ? "#ffffff" : "#1f1f1f"),
    text,
    muted: contrast ? text : resolve(fade(text, 75)),
    grid: resolve(fade(text, contrast ? 30 : 9)),
    actual: blue,
    expected: resolve(fade(text, contrast ? 100 : 62)),
    band: resolve(fade(blue, contrast ? 26 : 15)),
    bandLine: resolve(fade(contrast ? text : blue, contrast ? 45 : 30)),
    edge: get("charts-orange", "#d18616"),
    breach: red,
    good: get("charts-green", light ? "#388a34" : "#89d185"),
    incident: resolve(fade(red, contrast ? 24 : 11)),
    late: get("charts-purple", light ? "#652d90" : "#b180d7"),
    now: resolve(fade(text, 45)),
    font: get("font-family", "system-ui, sans-serif"),
    palette: PALETTES[light ? "light" : "dark"],
  };
}

/** Calls `listener` whenever VS Code has restyled the document. */
export function onThemeChange(listener: () => void): () => void {
  let frame = 0;
  const observer = new MutationObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(listener);
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
  };
}

/** A CSS colour expression as the plain colour that canvases and Chart.js's own colour reader understand. */
function resolve(expression: string): string {
  const context = scratch();
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = expression;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${r}, ${g}, ${b}, ${((a ?? 255) / 255).toFixed(3)})`;
}

let drawing: CanvasRenderingContext2D | undefined;

function scratch(): CanvasRenderingContext2D {
  if (!drawing) {
    const canvas = document.createElement("canvas");
    canvas.width = 1;
    canvas.height = 1;
    drawing = canvas.getContext("2d", { willReadFrequently: true })!;
  }
  return drawing;
}

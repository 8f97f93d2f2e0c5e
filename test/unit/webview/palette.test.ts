import { describe, expect, it } from "vitest";
import { lineLook, PALETTES } from "../../../webview/parts/chart/palette.ts";

type Rgb = readonly [number, number, number];

/** Linear light, sRGB. */
function linear(hex: string): Rgb {
  const channel = (at: number) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** WCAG 2's contrast ratio. */
function contrast(a: string, b: string): number {
  const light = (hex: string) => {
    const [r, g, blue] = linear(hex);
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05;
  };
  return Math.max(light(a), light(b)) / Math.min(light(a), light(b));
}

/** Machado, Oliveira and Fernandes (2009), at full severity, over linear light. */
const SIGHT: Readonly<Record<string, readonly Rgb[]>> = {
  ordinary: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* of a colour as it is seen. */
function lab(hex: string, sight: readonly Rgb[]): Rgb {
  const [r, g, b] = linear(hex);
  const [x, y, z] = sight.map((m) => Math.min(1, Math.max(0, m[0] * r + m[1] * g + m[2] * b))) as [
    number,
    number,
    number,
  ];
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const fx = f((0.4124 * x + 0.3576 * y + 0.1805 * z) / 0.95047);
  const fy = f(0.2126 * x + 0.7152 * y + 0.0722 * z);
  const fz = f((0.0193 * x + 0.1192 * y + 0.9505 * z) / 1.08883);
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

describe.each([
  { name: "light" as const, backgrounds: ["#ffffff", "#f8f8f8"] },
  { name: "dark" as const, backgrounds: ["#1f1f1f", "#000000"] },
])("the $name palette", ({ name, backgrounds }) => {
  const palette = PALETTES[name];

  it("stands out from the background", () => {
    for (const background of backgrounds)
      for (const color of palette) expect([color, contrast(color, background) >= 3]).toEqual([color, true]);
  });

  it.each(Object.keys(SIGHT))("has no two colours that look alike with %s", (sight) => {
    palette.forEach((a, i) => {
      for (const b of palette.slice(0, i)) {
        const [p, q] = [lab(a, SIGHT[sight]!), lab(b, SIGHT[sight]!)];
        expect([a, b, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) > 12]).toEqual([a, b, true]);
      }
    });
  });

  it("tells thirty lines apart, by dash and marker where the colours are used up", () => {
    const looks = Array.from({ length: 30 }, (_, i) => lineLook(palette, i));
    expect(new Set(looks.map(({ color, dash }) => `${color} ${dash}`)).size).toBe(30);
    expect(new Set(looks.map(({ color, marker }) => `${color} ${marker}`)).size).toBe(30);
    expect(looks.slice(0, 6).every(({ dash }) => dash.length === 0)).toBe(true);
    expect(lineLook(palette, 30)).toEqual(looks[0]);
  });
});

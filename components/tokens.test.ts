import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CSS = readFileSync(new URL("tokens.css", import.meta.url), "utf8");

/** The declarations of the block that begins with `opening`. */
function block(opening: string): Readonly<Record<string, string>> {
  const from = CSS.indexOf(opening);
  if (from < 0) throw new Error(`no block ${opening}`);
  const body = CSS.slice(CSS.indexOf("{", from + opening.length - 1) + 1, CSS.indexOf("}", from + opening.length));
  return Object.fromEntries(
    [...body.matchAll(/(--[\w-]+|color-scheme):\s*([^;]+);/g)].map((found) => [found[1]!, found[2]!]),
  );
}

const dark = block(':root[data-theme="dark"] {');
const light = block(':root[data-theme="light"] {');

/** WCAG 2.2 relative luminance of #rrggbb. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

test("the system's light theme has the values of the chosen one", () => {
  expect(block(":root:not([data-theme]) {")).toEqual(light);
});

test("both themes define the same roles", () => {
  expect(Object.keys(light).toSorted()).toEqual(Object.keys(dark).toSorted());
});

const TEXTS = ["text", "text-2", "text-3", "allowed", "denied", "degraded", "will-allow", "fresh", "gone"];
const LINES = ["control", "quiet"];

test.each([
  ["dark", dark],
  ["light", light],
] as const)("in the %s theme texts have a contrast of 4.5 and lines of 3 on every ground", (_name, theme) => {
  for (const ground of ["canvas", "raised", "active"]) {
    for (const role of TEXTS)
      expect(contrast(theme[`--${role}`]!, theme[`--${ground}`]!), `${role} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
  for (const ground of ["frame", "canvas"]) {
    for (const role of LINES)
      expect(contrast(theme[`--${role}`]!, theme[`--${ground}`]!), `${role} on ${ground}`).toBeGreaterThanOrEqual(3);
  }
});

import { expect, test } from "vitest";
import { drawMap } from "./draw.ts";
import { buildScene } from "./scene.ts";
import { svgPen } from "./svg-pen.ts";
import type { MapTheme } from "./pen.ts";

const THEME = new Proxy({} as MapTheme, { get: (_, name) => (name === "sans" ? 'Inter, "X"' : "#123456") });
/** Text is measured by a browser's canvas; its widths do not matter here. */
const MEASURE = { font: "", measureText: (text: string) => ({ width: text.length * 6 }) } as CanvasRenderingContext2D;

test("names are text in the SVG, whatever they hold, and every tag is one of ours", () => {
  const name = `<script>alert("1")</script> & 'co'`;
  const scene = buildScene(
    {
      nodes: ["datastore", "outside"].map((shape, i) => ({
        key: String(i),
        namespace: "<b>",
        name,
        shape: shape as "datastore",
        count: 1,
        detail: "</text>",
        detailIsTrouble: true,
        failing: 0.5,
        gone: false,
        weight: 1,
      })),
      edges: [
        {
          key: "0 → 1",
          source: "0",
          target: "1",
          state: "denied",
          perSecond: 1,
          label: "<i>denied</i>",
          stoppedAt: "ingress",
          faint: false,
        },
      ],
    },
    { "0": [0, 0], "1": [200, 0] },
  );
  const pen = svgPen(MEASURE);
  drawMap(
    pen,
    scene,
    { x: 50, y: 50, k: 1, width: 300, height: 150 },
    { theme: THEME, selected: undefined, focus: false, found: new Set() },
  );
  const svg = pen.toSvg(300, 150, THEME);
  const tags = new Set([...svg.matchAll(/<\/?([a-z]+)/gi)].map((match) => match[1]));
  expect(tags).toEqual(new Set(["svg", "rect", "path", "text"]));
  expect(svg).toContain("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;co&#39;");
  expect(svg).not.toMatch(/NaN|undefined/);
});

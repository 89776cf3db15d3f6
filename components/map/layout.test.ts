import { expect, test } from "vitest";
import { layout, type LayoutRequest } from "./layout.ts";

function chain(length: number): LayoutRequest {
  const key = (i: number): string => `ns-${i % 3}/w-${i}`;
  return {
    nodes: Array.from({ length }, (_, i) => ({ key: key(i), group: `ns-${i % 3}` })),
    edges: Array.from({ length: length - 1 }, (_, i) => ({ source: key(i), target: key(i + 1), weight: 1 })),
    places: {},
  };
}

test("the same request gives the same places", () => {
  expect(layout(chain(12))).toEqual(layout(chain(12)));
});

test("old nodes never move when new ones come, and new ones stand apart from them", () => {
  const old = layout(chain(10));
  const now = layout({ ...chain(14), places: old });
  for (const [key, place] of Object.entries(old)) expect(now[key]).toEqual(place);
  const all = Object.values(now);
  expect(all).toHaveLength(14);
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1)) expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeGreaterThan(20);
});

test("callers stand left of whom they call", () => {
  const key = ["outside", "gateway", "web", "db"];
  const places = layout({
    nodes: key.map((name) => ({ key: name, group: name })),
    edges: [0, 1, 2].map((i) => ({ source: key[i]!, target: key[i + 1]!, weight: 1 })),
    places: {},
  });
  const xs = key.map((name) => places[name]![0]);
  expect(xs).toEqual(xs.toSorted((a, b) => a - b));
});

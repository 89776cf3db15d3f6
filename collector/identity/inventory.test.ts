import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { InventoryProblem, parseInventory } from "./inventory.ts";
import { InventoryWatch } from "./inventory-watch.ts";
import type { InventoryIndex } from "./inventory-index.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-inventory-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const GOOD = `entries:
  - { netns: shop-web-0, namespace: storefront, workload: web, endpoint: web-0, labels: { app: web }, addresses: [10.1.0.2, "fd01::2"], ports: [{ name: http, port: 8080, protocol: TCP }] }
  - { cidr: 203.0.113.0/24, workload: crawler, kind: outside }
  - { address: 10.9.0.10, ports: [{ port: 80 }], namespace: storefront, workload: cart, kind: service }
  - { unit: nginx.service, namespace: edge, workload: proxy, kind: gateway }
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseInventory(text, "inventory.yaml");
    return [];
  } catch (problem) {
    if (problem instanceof InventoryProblem) return problem.problems;
    throw problem;
  }
}

test("a good inventory is read with its addresses and places", () => {
  const known = parseInventory(GOOD, "inventory.yaml");
  expect(known.map((each) => each.entry.workload)).toEqual(["web", "crawler", "cart", "proxy"]);
  expect(known[0]!.addresses).toHaveLength(2);
  expect(known[1]!.where).toBe("inventory.yaml:3:5");
});

test("an empty file is an inventory without entries", () => {
  expect(parseInventory("", "inventory.yaml")).toEqual([]);
});

test.each([
  [
    "a port that is none",
    "entries:\n  - { address: 10.0.0.1, workload: a, ports: [{ port: http }] }\n",
    'inventory.yaml:2:55 entries[0].ports[0].port: found "http"; expected a port, 1–65535',
  ],
  [
    "an address that is none",
    "entries:\n  - { address: 10.0.0.300, workload: a }\n",
    'inventory.yaml:2:16 entries[0].address: found "10.0.0.300"; expected an address, 10.1.0.2 or fd01::2',
  ],
  [
    "a block that is none",
    "entries:\n  - { cidr: 10.0.0.0/33, workload: a }\n",
    'inventory.yaml:2:13 entries[0].cidr: found "10.0.0.0/33"; expected a block, 203.0.113.0/24 or fd00::/8',
  ],
  [
    "a field that is none",
    "entries:\n  - { address: 10.0.0.1, workload: a, color: red }\n",
    'inventory.yaml:2:39 entries[0].color: "color" is no field of an entry',
  ],
  [
    "an entry about nobody",
    "entries:\n  - { workload: a }\n",
    "inventory.yaml:2:5 entries[0]: says nobody: expected one of netns, container, cgroup, unit, process, address, addresses, cidr",
  ],
  [
    "two selectors",
    "entries:\n  - { netns: a, unit: b.service, workload: a }\n",
    "inventory.yaml:2:5 entries[0]: says netns and unit: expected one of them",
  ],
  [
    "a wrong kind",
    "entries:\n  - { netns: a, workload: a, kind: pod }\n",
    'inventory.yaml:2:36 entries[0].kind: found "pod"; expected one of workload, datastore, gateway, infra, outside, service',
  ],
  [
    "a missing workload",
    "entries:\n  - { netns: a }\n",
    "inventory.yaml:2:5 entries[0].workload: found nothing; expected a workload's name",
  ],
  ["no list", "entries: web\n", 'inventory.yaml:1:10 entries: found "web"; expected a list of entries'],
  [
    "YAML that is none",
    "entries:\n  - { netns: a\n  - b\n",
    "inventory.yaml:3:3: Flow map in block collection must be sufficiently indented",
  ],
])("%s is refused with its place", (_name, text, expected) => {
  expect(problemsOf(text)[0]).toContain(expected.split(";")[0]);
});

test.each([
  [
    "the same address twice",
    "entries:\n  - { address: 10.0.0.1, workload: a }\n  - { addresses: [10.0.0.2, 10.0.0.1], workload: b }\n",
    "inventory.yaml:3:5 entries[1]: 10.0.0.1 belongs to a already (inventory.yaml:2:5)",
  ],
  [
    "the same block twice, written otherwise",
    "entries:\n  - { cidr: 10.0.0.0/24, workload: a }\n  - { cidr: 10.0.0.7/24, workload: b }\n",
    "inventory.yaml:3:5 entries[1]: 10.0.0.0/24 belongs to a already (inventory.yaml:2:5)",
  ],
  [
    "the same namespace twice",
    "entries:\n  - { netns: x, workload: a }\n  - { netns: x, workload: b }\n",
    "inventory.yaml:3:5 entries[1]: netns x belongs to a already (inventory.yaml:2:5)",
  ],
  [
    "a service's port twice",
    "entries:\n  - { address: 10.9.0.1, ports: [{ port: 80 }], workload: a, kind: service }\n  - { address: 10.9.0.1, ports: [{ port: 80 }], workload: b, kind: service }\n",
    "inventory.yaml:3:5 entries[1]: 10.9.0.1:80/TCP belongs to a already (inventory.yaml:2:5)",
  ],
  [
    "a service on an address that another has whole",
    "entries:\n  - { address: 10.9.0.1, workload: a }\n  - { address: 10.9.0.1, ports: [{ port: 80 }], workload: b, kind: service }\n",
    "inventory.yaml:3:5 entries[1]: 10.9.0.1 belongs to a already, with all its ports (inventory.yaml:2:5)",
  ],
])("%s is refused, naming both", (_name, text, expected) => {
  expect(problemsOf(text)).toEqual([expected]);
});

test("two services may share an address on different ports, and a block may lie in a block", () => {
  expect(
    problemsOf(
      "entries:\n  - { address: 10.9.0.1, ports: [{ port: 80 }], workload: a, kind: service }\n  - { address: 10.9.0.1, ports: [{ port: 443 }], workload: b, kind: service }\n  - { cidr: 10.0.0.0/8, workload: c }\n  - { cidr: 10.0.0.0/24, workload: d }\n",
    ),
  ).toEqual([]);
});

test("hostile names are refused: control and direction characters", () => {
  expect(problemsOf('entries:\n  - { netns: a, workload: "a\\e[31m" }\n')[0]).toContain(
    "expected no control or direction characters",
  );
  expect(problemsOf('entries:\n  - { netns: a, workload: "a\\u202eb" }\n')[0]).toContain(
    "expected no control or direction characters",
  );
});

test("every fault is told, not only the first", () => {
  expect(problemsOf("entries:\n  - { address: x, workload: a }\n  - { cidr: y, workload: b }\n")).toHaveLength(2);
});

test("a bad new file keeps the last good one and says so; the next good one is taken", async () => {
  const path = join(dir, "inventory.yaml");
  const loaded: InventoryIndex[] = [];
  const refused: InventoryProblem[] = [];
  const watch = new InventoryWatch(path, {
    loaded: (index) => loaded.push(index),
    refused: (problem) => refused.push(problem),
  });
  await watch.look();
  expect(loaded).toEqual([]);
  const put = async (text: string) => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    await watch.look();
  };
  await put(GOOD);
  await put("entries:\n  - { netns: [ }\n");
  expect(loaded).toHaveLength(1);
  expect(refused).toHaveLength(1);
  expect(refused[0]!.message).toMatch(/inventory\.yaml:2:\d+.*the last good one stays in use/);
  await put("entries:\n  - { netns: other, workload: x }\n");
  expect(loaded.map((index) => index.entries.length)).toEqual([4, 1]);
});

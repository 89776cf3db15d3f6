import { expect, test } from "vitest";
import { collectorConfig, namespaceTest } from "./config.ts";

test.each([
  ["WEIR_SPOOL_MB", "much", 'WEIR_SPOOL_MB: "much" cannot be used; expected megabytes, 16 or more'],
  [
    "WEIR_COLLECT_CPU",
    "0.001",
    'WEIR_COLLECT_CPU: "0.001" cannot be used; expected CPUs, 0.02 or more (0.5 is half of one), or 0 for no limit',
  ],
  ["WEIR_SWEEP_SECONDS", "0", 'WEIR_SWEEP_SECONDS: "0" cannot be used; expected seconds, 1–3600'],
  ["WEIR_SOURCE", "hubble", 'WEIR_SOURCE: "hubble" cannot be used; expected auto, ebpf or replay'],
  [
    "WEIR_NETNS",
    "web,$(x)",
    'WEIR_NETNS: "$(x)" cannot be used; expected all, or names, inode numbers or prefix* separated by commas',
  ],
  [
    "WEIR_INVENTORY",
    "/nowhere/inventory.yaml",
    "WEIR_INVENTORY: there is no file /nowhere/inventory.yaml; write one (docs/inventory.md), or leave the setting out",
  ],
  ["WEIR_COLLECTOR_SOCKET", `/${"x".repeat(120)}`, "expected a path of at most 100 characters"],
])("a wrong %s is one sentence", (name, value, sentence) => {
  expect(() => collectorConfig({ WEIR_DATA_DIR: "/tmp", [name]: value })).toThrow(sentence);
});

test("defaults stand where nothing is set", () => {
  expect(collectorConfig({ WEIR_DATA_DIR: "/data", WEIR_NODE: "n1", WEIR_SPOOL_MB: "" })).toMatchObject({
    node: "n1",
    socket: "/data/run/collector.sock",
    inventory: "/data/inventory.yaml",
    spoolBytes: 2048 * 1024 * 1024,
    source: "auto",
  });
});

test("namespaces are chosen by name, inode number and prefix", () => {
  const test = namespaceTest("web, 4026532001, shop-*");
  expect([test(1, "web"), test(1, "web2"), test(4026532001, ""), test(2, "shop-cart-0"), test(2, "")]).toEqual([
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(namespaceTest("all")(7, "")).toBe(true);
});

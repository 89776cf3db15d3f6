import { expect, test } from "vitest";
import { parseInventory } from "../identity/inventory.ts";
import { InventoryIndex } from "../identity/inventory-index.ts";
import { Who } from "../identity/who.ts";
import type { Lot } from "../spool/append.ts";
import { endpointLot, portLot } from "./records.ts";

const rowsOf = (lot: Lot): Record<string, unknown>[] =>
  new TextDecoder()
    .decode(lot.payload)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const inventory = (text: string) => new InventoryIndex(parseInventory(text, "inventory.yaml"));
const WEB =
  "  - { address: 10.9.0.1, namespace: shop, workload: web, endpoint: web-0, ports: [{ name: http, port: 8080 }] }\n";
const DB =
  "  - { addresses: [10.9.0.2, 'fd00::2'], namespace: data, workload: db, ports: [{ name: pg, port: 5432 }, { port: 9 }] }\n";
const SERVICE =
  "  - { address: 10.9.9.9, namespace: shop, workload: web, kind: service, ports: [{ name: http, port: 80 }] }\n";

test("addresses that the inventory alone knows are written once, and closed when a later version leaves them out", () => {
  const who = new Who({ node: "a", hostNetns: 1, observes: () => true });
  const seen = new Map<string, string>();
  who.setInventory(inventory(`entries:\n${WEB}${DB}${SERVICE}`), 0);
  const first = rowsOf(endpointLot(who, "a", seen, 1000, 61_000));
  expect(first.map((row) => [row["address"], row["endpoint"], row["valid_from"], row["valid_to"]])).toEqual([
    ["10.9.0.1", "web-0", "1970-01-01 00:00:01.000", "2200-01-01 00:00:00"],
    ["10.9.0.2", "", "1970-01-01 00:00:01.000", "2200-01-01 00:00:00"],
    ["fd00::2", "", "1970-01-01 00:00:01.000", "2200-01-01 00:00:00"],
  ]);
  expect(endpointLot(who, "a", seen, 1000, 121_000).rows).toBe(0);
  who.setInventory(inventory(`entries:\n${WEB}`), 130e9);
  const later = rowsOf(endpointLot(who, "a", seen, 1000, 181_000));
  expect(later.map((row) => [row["address"], row["valid_from"], row["valid_to"]])).toEqual([
    ["10.9.0.2", "1970-01-01 00:00:01.000", "1970-01-01 00:03:01.000"],
    ["fd00::2", "1970-01-01 00:00:01.000", "1970-01-01 00:03:01.000"],
  ]);
});

test("ports that have a name are written for their identities, those of services too", () => {
  const who = new Who({ node: "a", hostNetns: 1, observes: () => true });
  who.setInventory(inventory(`entries:\n${WEB}${DB}${SERVICE}`), 0);
  const rows = rowsOf(portLot(who, 61_000));
  expect(rows.map((row) => [row["name"], row["protocol"], row["port"], row["last_seen"]])).toEqual([
    ["http", 6, 8080, "1970-01-01 00:01:01.000"],
    ["pg", 6, 5432, "1970-01-01 00:01:01.000"],
    ["http", 6, 80, "1970-01-01 00:01:01.000"],
  ]);
  expect(new Set(rows.map((row) => row["identity"])).size).toBe(3);
});

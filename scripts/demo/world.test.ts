import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Inventory } from "../../model/wire/inventory.ts";
import { existingNamespaces } from "./network.ts";
import { labelOfAddress } from "./addresses.ts";
import { inventoryOf } from "./inventory.ts";
import { makeWorld } from "./world.ts";

const CAN =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["/usr/sbin/nft", "/sbin/nft"].some((path) => readable(path));
const folder = mkdtempSync(join(tmpdir(), "weir-world-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the inventory of the world is one that Weir takes", () => {
  expect(Inventory.safeParse(parse(inventoryOf("x"))).error?.issues).toBeUndefined();
});

describe.skipIf(!CAN)("the world", () => {
  test("has the programs and the kernel's counters agree on what was done, and leaves nothing behind", async () => {
    const runId = `t${process.pid}`;
    const hostLinks = execFileSync("ip", ["-o", "link"]).toString();
    const world = await makeWorld({ seed: 42, runId, dataDir: folder, short: true });
    try {
      world.start();
      await world.settle(4);
      const ledger = await world.ledger();
      const opened = new Map<string, number>();
      for (const sum of ledger.connections) if (sum.opened) add(opened, serverOf(sum.address, sum.port), sum.count);
      const accepted = new Map<string, number>();
      for (const sum of ledger.accepts) add(accepted, `${sum.to}:${sum.port}`, sum.count);
      expect(accepted).toEqual(opened);
      const packets = (counter: string) => ledger.drops.find((drop) => drop.counter === counter)!.packets;
      const refused = ledger.connections
        .filter((sum) => sum.outcome === "refused")
        .reduce((sum, one) => sum + one.count, 0);
      expect(packets("no_listener") + packets("rejected")).toBe(refused);
      expect(packets("closed_udp")).toBe(ledger.datagrams.reduce((sum, one) => sum + one.count, 0));
      const lines = readdirSync(join(folder, "ledger")).flatMap((file) =>
        readFileSync(join(folder, "ledger", file), "utf8")
          .trim()
          .split("\n")
          .filter(Boolean),
      );
      expect(lines.filter((line) => line.includes('"kind":"connection"'))).toHaveLength(
        ledger.connections.reduce((sum, one) => sum + one.count, 0),
      );
    } finally {
      await world[Symbol.asyncDispose]();
    }
    expect((await existingNamespaces()).filter((name) => name.startsWith(`weir-${runId}-`))).toEqual([]);
    expect(readdirSync(join(folder, "run")).filter((name) => name.endsWith(".json"))).toEqual([]);
    expect(execFileSync("ip", ["-o", "link"]).toString()).toBe(hostLinks);
  });

  test("does the same things for the same seed, also with another world beside it", async () => {
    const worlds = await Promise.all(
      ["v", "w"].map(
        async (letter) =>
          await makeWorld({ seed: 9, runId: `${letter}${process.pid}`, dataDir: join(folder, letter), short: true }),
      ),
    );
    try {
      const did = await Promise.all(
        worlds.map(async (world) => {
          world.start();
          await world.settle(3);
          const ledger = await world.ledger();
          const attempts = new Map<string, number>();
          for (const one of [...ledger.connections, ...ledger.datagrams])
            add(attempts, `${one.from} ${one.address} ${one.port}`, one.count);
          for (const one of ledger.lookups) add(attempts, `${one.from} ${one.name} ${one.type}`, one.count);
          return [...attempts].toSorted();
        }),
      );
      expect(did[0]!.length).toBeGreaterThan(30);
      expect(did[1]).toEqual(did[0]);
    } finally {
      for (const world of worlds) await world[Symbol.asyncDispose]();
    }
  });

  test("refuses a second world of the same name while the first one lives", async () => {
    const runId = `u${process.pid}`;
    await using world = await makeWorld({ seed: 1, runId, dataDir: folder });
    await expect(makeWorld({ seed: 1, runId, dataDir: folder })).rejects.toMatchObject({ code: "demo-running" });
    expect(world.observed).toContain(`weir-${runId}-web-0`);
    expect(world.observed).not.toContain(`weir-${runId}-crawler-0`);
  });

  test("cleans up after a world whose process was killed, and starts again under its name", async () => {
    const runId = `k${process.pid}`;
    const settings = JSON.stringify({ seed: 1, runId, dataDir: folder });
    const script = `const { makeWorld } = await import(${JSON.stringify(new URL("world.ts", import.meta.url).href)}); await makeWorld(${settings}); console.log("up"); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => owner.stdout.once("data", resolve));
    const before = namespaceIds(runId);
    expect(before.length).toBeGreaterThan(19);
    const gone = new Promise((resolve) => owner.once("exit", resolve));
    owner.kill("SIGKILL");
    await gone;
    await using world = await makeWorld({ seed: 1, runId, dataDir: folder });
    expect(world.cleaned).toEqual([runId]);
    expect(namespaceIds(runId).filter((id) => before.includes(id))).toEqual([]);
  });

  test("refuses a name that cannot be part of a namespace's", async () => {
    await expect(makeWorld({ seed: 1, runId: "../x", dataDir: folder })).rejects.toMatchObject({ code: "demo-bad-id" });
  });
});

/** Name and inode of a run's namespaces. */
function namespaceIds(runId: string): string[] {
  const names = readdirSync("/run/netns").filter((name) => name.startsWith(`weir-${runId}-`));
  return names.map((name) => `${name}/${statSync(`/run/netns/${name}`).ino}`);
}

function serverOf(address: string, port: number): string {
  const label = labelOfAddress(address)!;
  return label === "storefront/cart" ? `${label}:8080` : `${label}:${port}`; // the service's port is translated
}

function add(sums: Map<string, number>, key: string, count: number): void {
  sums.set(key, (sums.get(key) ?? 0) + count);
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

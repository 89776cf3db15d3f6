import { createServer } from "node:net";
import { expect, test } from "vitest";
import { collectorConfig, METRICS_PORT } from "../config.ts";
import type { SourceCounters } from "../sources/source.ts";
import { openDoor } from "./door.ts";
import { RingProgress } from "./readiness.ts";

const PAGES = {
  metrics: async () => ({ type: "text/plain", text: "# EOF\n" }),
  ready: async () => [{ part: "rings", ready: false, says: "events wait since 9 s and none was read" }],
};

test("the port for scrapers is 7072 on loopback, another one, or none; a wrong one is a sentence", () => {
  const metrics = (port: string | undefined) =>
    collectorConfig({ WEIR_DATA_DIR: "/data", WEIR_METRICS_PORT: port }).metrics;
  expect(metrics(undefined)).toEqual({ host: "127.0.0.1", port: METRICS_PORT, required: false });
  expect(metrics("9000")).toEqual({ host: "127.0.0.1", port: 9000, required: true });
  expect(metrics("off")).toBeUndefined();
  expect(() => metrics("many")).toThrow(
    'WEIR_METRICS_PORT: "many" cannot be used; expected a port number, 0–65535, or off',
  );
});

test("a taken port is done without where nobody asked for it, and a sentence where somebody did", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const address = { host: "127.0.0.1", port };
  expect(await openDoor({ ...address, required: false }, PAGES)).toBeUndefined();
  await expect(openDoor({ ...address, required: true }, PAGES)).rejects.toThrow(
    `WEIR_METRICS_PORT: cannot listen on 127.0.0.1:${port} (EADDRINUSE); choose another port or WEIR_METRICS_HOST, or WEIR_METRICS_PORT=off`,
  );
  other.close();
});

test("what is not ready is a 503 with the reason; what is not there is said; only GET is answered", async () => {
  await using door = await openDoor({ host: "127.0.0.1", port: 0, required: true }, PAGES);
  const at = (path: string, method = "GET") => fetch(`http://127.0.0.1:${door!.port}${path}`, { method });
  const ready = await at("/readyz");
  expect([ready.status, await ready.text()]).toEqual([
    503,
    "not ready\nnot rings: events wait since 9 s and none was read\n",
  ]);
  expect(await (await at("/healthz")).text()).toBe("alive\n");
  expect((await at("/nothing")).status).toBe(404);
  expect((await at("/metrics", "POST")).status).toBe(405);
});

test("rings are stalled when new events were made and none was read, not while nothing happens", () => {
  const counters = (produced: number, decoded: number) =>
    ({ rows: [{ cpu: 0, type: 1, produced, lost: 0, decoded }] }) as unknown as SourceCounters;
  const rings = new RingProgress(0);
  rings.tick(counters(100, 90), 1000); // ten are still in the ring
  expect(rings.stalledMs(1000)).toBe(0);
  rings.tick(counters(100, 90), 9000); // nothing was made, so nothing is due
  expect(rings.stalledMs(9000)).toBe(0);
  rings.tick(counters(150, 90), 10_000);
  rings.tick(counters(200, 90), 16_000);
  expect(rings.stalledMs(16_000)).toBe(7000);
  rings.tick(counters(200, 120), 17_000);
  expect(rings.stalledMs(17_000)).toBe(0);
});

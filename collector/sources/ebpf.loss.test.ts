/** More events than a ring holds: what is lost is counted to the event, by the kernel, and what is read is what was not. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { FillOrder } from "../../bench/fill-ring.worker.ts";
import { PROGRAMS } from "../kernel/programs.ts";
import { EbpfSource } from "./ebpf.ts";

test.each([
  ["a reader that keeps up", 1024, 20],
  ["a reader that comes too late", 16, 60_000],
])("with %s, 500,000 events a second are decoded or counted as lost, each once", async (_, pages, drainMs) => {
  const seen = { rows: 0, last: -1, backwards: 0 };
  await using source = new EbpfSource({
    sink: (batch) => {
      for (let i = 0; i < batch.length; i++) {
        if (batch.seq[i]! <= seen.last) seen.backwards++;
        seen.last = batch.seq[i]!;
      }
      seen.rows += batch.length;
    },
    programs: PROGRAMS.filter(({ name }) => name === "fill"),
    pages,
    drainMs,
  });
  await source.start(new AbortController().signal);
  const order: FillOrder = { program: source.programFd("fill"), cpu: 0, perSecond: 500_000, seconds: 1 };
  const worker = new Worker(new URL("../../bench/fill-ring.worker.ts", import.meta.url), { workerData: order });
  const [{ made }] = (await once(worker, "message")) as [{ made: number }];
  source.flush();
  const { rows, malformed } = source.counters();
  const sum = (field: "produced" | "lost" | "decoded" | "shed") => rows.reduce((total, row) => total + row[field], 0);
  expect({ produced: sum("produced"), malformed, backwards: seen.backwards, rows: seen.rows }).toEqual({
    produced: made,
    malformed: 0,
    backwards: 0,
    rows: sum("decoded"),
  });
  expect(sum("decoded") + sum("lost") + sum("shed")).toBe(made);
  if (pages === 16) expect(sum("lost")).toBeGreaterThan(0);
});

test("what lies in a ring unread is neither decoded nor lost, and counted as waiting", async () => {
  await using source = new EbpfSource({
    sink: () => {},
    programs: PROGRAMS.filter(({ name }) => name === "fill"),
    pages: 1024,
    drainMs: 60_000,
  });
  await source.start(new AbortController().signal);
  const order: FillOrder = { program: source.programFd("fill"), cpu: 0, perSecond: 1000, seconds: 0.5 };
  const worker = new Worker(new URL("../../bench/fill-ring.worker.ts", import.meta.url), { workerData: order });
  const [{ made }] = (await once(worker, "message")) as [{ made: number }];
  const before = source.counters();
  expect(before.settled).toBe(true);
  expect(before.rows.map(({ produced, decoded, lost, waiting }) => ({ produced, decoded, lost, waiting }))).toEqual([
    { produced: made, decoded: 0, lost: 0, waiting: made },
  ]);
  source.flush();
  expect(source.counters().rows[0]).toMatchObject({ produced: made, decoded: made, waiting: 0 });
});

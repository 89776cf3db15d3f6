/** The books of the demo world's recording, as `weir store books` prints them. */
import { Writable } from "node:stream";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testAgent, testStore, until, type TestStore } from "../collector/testing.ts";
import { Shipper } from "../collector/ship/insert.ts";
import { recoverSpool } from "../collector/spool/recover.ts";
import { storeConfig } from "../store/config.ts";
import { openWriter } from "../store/writer.ts";
import { storeBooks, type BooksOptions } from "./store-books.ts";

let store: TestStore;
beforeAll(async () => {
  store = await testStore({ WEIR_SOURCE: "replay", WEIR_NODE: "demo", WEIR_METRICS_PORT: "off" });
  const agent = await testAgent(store.env);
  await until("a thousand events are booked", () => agent.health().books.stored > 1000);
  for (let i = 0; i < 20; i++) {
    expect(agent.health().books.difference).toBe(0); // at every moment, events in flight included
    await new Promise((resolve) => setImmediate(resolve));
  }
  await agent[Symbol.asyncDispose]();
  // an orderly end ships what it can within seconds; on a busy machine something is left
  await using writer = await openWriter(storeConfig(store.env));
  const shipper = new Shipper(async () => writer, { shipped: () => 0, failed: () => 0, quarantined: () => 0 });
  for (const segment of (await recoverSpool(join(store.dir, "spool"))).segments) shipper.add(segment, true);
  expect(await shipper.drain(AbortSignal.timeout(100_000))).toBe(true);
}, 120_000);
afterAll(() => store?.[Symbol.asyncDispose]());

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function books(options: Partial<BooksOptions> = {}): Promise<{ text: string; balance: boolean }> {
  const out = new Text();
  const all = { since: "now-3h", until: "now", node: "", json: false, rows: true, ...options };
  const balance = await storeBooks(store.env, all, out, AbortSignal.timeout(20_000));
  return { text: out.text, balance };
}

interface Answer {
  readonly balances: boolean;
  readonly lines: readonly Readonly<Record<string, number | string | boolean>>[];
}

test("the demo world's books balance, and as many rows are in the store as are booked", async () => {
  const { text, balance } = await books({ json: true });
  const { balances, lines } = JSON.parse(text) as Answer;
  expect({ balance, balances }).toEqual({ balance: true, balances: true });
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatchObject({ node: "demo", difference: 0, rows: line["stored"] });
  expect((await books()).text).toMatch(/^all .*\n\n(100 %|9\d\.\d\d %) seen\. The books balance\.\n$/m);
});

test("a closed minute that does not balance is named and is a no", async () => {
  await using writer = await openWriter(storeConfig(store.env));
  const minute = Math.floor(Date.now() / 60_000) * 60 - 3600;
  const row = {
    minute,
    node: "other",
    boot: "0a1b2c3d-0000-4000-8000-000000000000",
    generation: 1,
    stored: 0,
    shed: 0,
  };
  const rest = { ...row, quarantined: 0, filtered: 0 };
  await writer.insertRows(
    "books",
    [
      { ...rest, type: "open", produced: 10, lost: 5 },
      { ...rest, type: "unseen", produced: 2, lost: 2 },
      { ...rest, type: "open (crash)", produced: 3, lost: 3 },
    ],
    AbortSignal.timeout(20_000),
  );
  const { text, balance } = await books({ node: "other" });
  expect(balance).toBe(false);
  expect(text).toMatch(/^other +\S+ \S+ +15 +0 +5 +3 +2 +0 +0 +0 +5 +0$/m);
  expect(text).toContain("33.33 % seen. The books do not balance in 1 minute, first on other at ");
  expect(text).toContain("5 events that nobody can account for");
  expect((await books({ node: "nobody" })).text).toMatch(/^No books between .* of nobody\.\n$/);
});

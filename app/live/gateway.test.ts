import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Identities } from "../../collector/identity/identities.ts";
import { LiveHub } from "../../collector/live/hub.ts";
import { flowRows, Kind, Outcome, type FlowRows } from "../../collector/rows/flow-rows.ts";
import { Strings } from "../../collector/rows/strings.ts";
import { LiveMessage, MAX_SUBSCRIPTIONS, type LiveRequest } from "../../model/wire/live.ts";
import { openGateway } from "./gateway.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A gateway on a port, in front of the collector's own hub on a unix socket in a folder of its own. */
async function house({ withHub = true } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "weir-gateway-"));
  ends.push(() => rm(dir, { recursive: true }));
  const path = join(dir, "collector.sock");
  const startHub = async (): Promise<LiveHub> => {
    const reporter = { node: "n", boot: "00000000-0000-0000-0000-000000000001", generation: 1 };
    const hub = new LiveHub(
      path,
      { reporter, identities: new Identities(), strings: new Strings() },
      { health: () => ({}), metrics: async () => ({ type: "text/plain", text: "" }), ready: async () => [] },
    );
    await hub.start();
    ends.push(async () => hub[Symbol.asyncDispose]());
    return hub;
  };
  const hub = withHub ? await startHub() : undefined;
  const gateway = openGateway(path);
  ends.push(() => gateway.close());
  const server = createServer();
  server.on("upgrade", (request, socket, head) => gateway.accept(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(async () => void server.close());
  return { hub, startHub, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A browser: what it got, and a way to wait for a message. */
async function browser(url: string) {
  const ws = new WebSocket(url);
  const got: LiveMessage[] = [];
  const watchers = new Set<() => void>();
  ws.on("message", (data) => {
    got.push(LiveMessage.parse(JSON.parse(data.toString())));
    for (const watcher of watchers) watcher();
  });
  ends.push(async () => ws.terminate());
  await new Promise((resolve) => ws.once("open", resolve));
  const until = (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${what}; got ${JSON.stringify(got).slice(0, 800)}`)), 10_000);
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(late);
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const say = (message: LiveRequest | string): void =>
    ws.send(typeof message === "string" ? message : JSON.stringify(message));
  const flows = (id: string) =>
    got
      .filter((message) => message.type === "flows" && message.id === id)
      .flatMap((message) => (message.type === "flows" ? message.flows : []));
  return { got, until, say, flows };
}

/** Rows of opened connections to `ports`. */
function rowsTo(...ports: readonly number[]): FlowRows {
  const rows = flowRows(ports.length);
  rows.length = ports.length;
  ports.forEach((port, row) => {
    rows.kind[row] = Kind.open;
    rows.verdict[row] = Outcome.allowed;
    rows.protocol[row] = 6;
    rows.destinationPort[row] = port;
    rows.seq[row] = row;
  });
  return rows;
}

async function subscriptions(hub: LiveHub, wanted: number): Promise<void> {
  await expect.poll(() => hub.subscriptions, { timeout: 10_000 }).toBe(wanted);
}

test("each browser gets the flows of its own filter, filtered at the source", async () => {
  const { hub, url } = await house();
  const [a, b] = [await browser(url), await browser(url)];
  a.say({ type: "subscribe", id: "s", filter: "port:443" });
  b.say({ type: "subscribe", id: "s", filter: "-port:443" });
  await subscriptions(hub!, 2);
  hub!.publish(rowsTo(443, 80, 5432));
  await a.until("flow of a", () => a.flows("s").length > 0);
  await b.until("flows of b", () => b.flows("s").length > 1);
  expect(a.flows("s").map((flow) => flow.destination.port)).toEqual([443]);
  expect(b.flows("s").map((flow) => flow.destination.port)).toEqual([80, 5432]);
});

test("more subscriptions than the collector gives one connection go over further connections", async () => {
  const { hub, url } = await house();
  const all = [await browser(url), await browser(url)];
  for (const one of all)
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i++) one.say({ type: "subscribe", id: `s${i}`, filter: `port:${i + 1}` });
  await subscriptions(hub!, 2 * MAX_SUBSCRIPTIONS);
  expect(hub!.clients).toBe(2);
  all[0]!.say({ type: "subscribe", id: "one too many", filter: "" });
  await all[0]!.until("refusal", () =>
    all[0]!.got.some((message) => message.type === "problem" && message.id === "one too many"),
  );
  hub!.publish(rowsTo(16));
  for (const one of all) await one.until("flow on the last subscription", () => one.flows("s15").length === 1);
});

test("a wrong filter and a message that is none are answered with a sentence, and the connection stays", async () => {
  const { hub, url } = await house();
  const one = await browser(url);
  one.say({ type: "subscribe", id: "s", filter: "prot:TCP" });
  await one.until("problem of the filter", () =>
    one.got.some(
      (message) => message.type === "problem" && message.id === "s" && message.message.includes("did you mean proto"),
    ),
  );
  one.say("{");
  await one.until("problem of the message", () =>
    one.got.some((message) => message.type === "problem" && message.message.includes("no request")),
  );
  one.say({ type: "subscribe", id: "t", filter: "" });
  await subscriptions(hub!, 1);
});

test("what a browser left is no longer asked of the collector", async () => {
  const { hub, url } = await house();
  const one = await browser(url);
  one.say({ type: "subscribe", id: "s", filter: "" });
  await subscriptions(hub!, 1);
  await ends.pop()!();
  await expect.poll(() => hub!.clients, { timeout: 10_000 }).toBe(0);
});

test("without a collector a browser is told so, and its subscription starts when one comes", async () => {
  const { startHub, url } = await house({ withHub: false });
  const one = await browser(url);
  one.say({ type: "subscribe", id: "s", filter: "" });
  await one.until("word of the missing collector", () =>
    one.got.some((message) => message.type === "problem" && message.message.includes("not running")),
  );
  const hub = await startHub();
  await subscriptions(hub, 1);
  hub.publish(rowsTo(80));
  await one.until("flow", () => one.flows("s").length === 1);
});

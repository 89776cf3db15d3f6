/** The hub on a real unix socket with real web sockets. */
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import WebSocket from "ws";
import { LiveMessage } from "../../model/wire/live.ts";
import { Identities } from "../identity/identities.ts";
import { By, flowRows, Kind, Outcome, type FlowRows } from "../rows/flow-rows.ts";
import { Strings } from "../rows/strings.ts";
import { until } from "../testing.ts";
import { LiveHub } from "./hub.ts";

let dir: string;
let path: string;
let hub: LiveHub;
const identities = new Identities();
const names = {
  reporter: { node: "n1", boot: "0a1b2c3d-0000-4000-8000-000000000000", generation: 1 },
  identities,
  strings: new Strings(),
};
const pages = {
  health: () => ({ ok: true }),
  metrics: async () => ({ type: "text/plain", text: "weir 1\n" }),
  ready: async () => [],
};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "weir-hub-"));
  path = join(dir, "collector.sock");
  hub = new LiveHub(path, names, pages);
  await hub.start();
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

function rows(count: number, kind: number = Kind.open): FlowRows {
  const made = flowRows(count);
  for (let row = 0; row < count; row++) {
    made.kind[row] = kind;
    made.verdict[row] = Outcome.allowed;
    made.reporter[row] = By.client;
    made.protocol[row] = 6;
    made.seq[row] = row;
    made.destinationPort[row] = 443;
    made.destinationParty[row] = identities.party(identities.reserved("world"), "", "").index;
  }
  made.length = count;
  return made;
}

async function client(): Promise<{ socket: WebSocket; said: LiveMessage[]; ask: (message: unknown) => void }> {
  const socket = new WebSocket(`ws+unix://${path}:/live`);
  const said: LiveMessage[] = [];
  socket.on("message", (data: Buffer) => said.push(LiveMessage.parse(JSON.parse(data.toString()))));
  socket.on("error", () => undefined);
  await once(socket, "open");
  return {
    socket,
    said,
    ask: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
  };
}
const flowsOf = (said: readonly LiveMessage[]) => said.flatMap((each) => (each.type === "flows" ? each.flows : []));
const missedOf = (said: readonly LiveMessage[]) =>
  said.reduce((sum, each) => sum + (each.type === "flows" ? each.missed : 0), 0);

test("a subscriber gets what matches, by filter and kind, until it pauses; resumed it goes on", async () => {
  const { said, ask } = await client();
  ask({ type: "subscribe", id: "a", filter: "port:443 dst:world", kinds: ["open"] });
  await until("subscribed", () => hub.subscriptions === 1);
  hub.publish(rows(3));
  hub.publish(rows(3, Kind.close));
  await until("three flows", () => flowsOf(said).length === 3);
  ask({ type: "pause", id: "a" });
  ask({ type: "pause", id: "nobody" });
  await until("paused, and told that nobody is not there", () => said.some((each) => each.type === "problem"));
  hub.publish(rows(2));
  ask({ type: "resume", id: "a" });
  ask({ type: "pause", id: "nobody" });
  await until("resumed", () => said.filter((each) => each.type === "problem").length === 2);
  hub.publish(rows(1));
  await until("one more", () => flowsOf(said).length === 4);
  expect(missedOf(said)).toBe(0);
});

test("more than a screen can take in a tenth of a second is counted as missed: sent + missed = matched", async () => {
  const { said, ask } = await client();
  ask({ type: "subscribe", id: "a" });
  await until("subscribed", () => hub.subscriptions === 1);
  hub.publish(rows(10_000));
  await until("all are accounted for", () => flowsOf(said).length + missedOf(said) === 10_000);
  expect(flowsOf(said).length).toBeLessThan(1000);
});

test("a client that never reads costs bounded memory and is told what it missed; the others are unharmed", async () => {
  const slow = await client();
  const quick = await client();
  for (const { ask } of [slow, quick]) ask({ type: "subscribe", id: "a" });
  await until("both subscribed", () => hub.subscriptions === 2);
  slow.socket.pause();
  let published = 0;
  await until(
    "the slow one has its buffers full",
    () => {
      hub.publish(rows(500));
      published += 500;
      return published >= 100_000;
    },
    60_000,
  );
  await until("the quick one has all, or knows", () => flowsOf(quick.said).length + missedOf(quick.said) === published);
  slow.socket.resume();
  await until("the slow one has all, or knows", () => flowsOf(slow.said).length + missedOf(slow.said) === published);
});

test.each([
  ["no JSON", "{", "the message is none that the live stream takes"],
  ["no message", { type: "shout" }, "the message is none that the live stream takes"],
  ["a filter that is none", { type: "subscribe", id: "a", filter: "port:99999" }, ""],
  [
    "a kind that is none",
    { type: "subscribe", id: "a", kinds: ["gossip"] },
    "the message is none that the live stream takes",
  ],
])("%s is answered with a sentence, and the connection stays", async (_name, message, sentence) => {
  const { said, ask, socket } = await client();
  ask(message);
  await until("an answer", () => said.length > 0);
  expect(said[0]).toMatchObject({ type: "problem", message: expect.stringContaining(sentence) as string });
  expect(socket.readyState).toBe(WebSocket.OPEN);
});

test("a seventeenth subscription is refused; a frame that is too long ends its connection alone", async () => {
  const { said, ask } = await client();
  for (let i = 0; i < 17; i++) ask({ type: "subscribe", id: String(i) });
  await until("the refusal", () => said.some((each) => each.type === "problem" && each.message.includes("at most 16")));
  const big = await client();
  big.ask("x".repeat(100_000));
  await once(big.socket, "close");
  expect(hub.clients).toBe(1);
});

test("health and metrics answer, everything else says what there is", async () => {
  const get = (url: string, method = "GET") =>
    new Promise<[number, string]>((resolve, reject) => {
      request({ socketPath: path, path: url, method }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve([response.statusCode ?? 0, text]));
      })
        .on("error", reject)
        .end();
    });
  expect(await get("/health")).toEqual([200, '{"ok":true}']);
  expect(await get("/metrics")).toEqual([200, "weir 1\n"]);
  expect((await get("/etc/passwd"))[0]).toBe(404);
  expect((await get("/health", "POST"))[0]).toBe(405);
});

test("a second collector on the same socket is refused; a socket file of a dead one is taken over", async () => {
  await expect(new LiveHub(path, names, pages).start()).rejects.toThrow(/another collector answers there/);
  await hub[Symbol.asyncDispose]();
  await writeFile(path, "");
  await hub.start();
  const probe = connect(path);
  await once(probe, "connect");
  probe.destroy();
});

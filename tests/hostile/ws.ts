/** The live stream: at the app's gateway, and at the collector's own socket behind it. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { LiveMessage, MAX_SUBSCRIPTIONS } from "../../model/wire/live.ts";
import { residentBytes, rowsTo, until, type House } from "./house.ts";
import { expectThat, type Input, type Size } from "./table.ts";

/** What an input left open, to be ended before the next. */
const left = new Set<Socket>();

function endThem(): void {
  for (const socket of left) socket.destroy();
  left.clear();
}

/** A raw connection that has been upgraded by an honest handshake: frames are ours to make. */
async function upgraded(house: House, door: Door): Promise<Socket> {
  const socket = door === "gateway" ? connect(house.appPort, "127.0.0.1") : connect(house.hubSocket);
  left.add(socket);
  socket.on("error", () => socket.destroy());
  const own = `127.0.0.1:${house.appPort}`;
  socket.write(
    `GET ${door === "gateway" ? "/ws" : "/live"} HTTP/1.1\r\nHost: ${own}\r\nOrigin: http://${own}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once("data", (head: Buffer) => {
      if (head.toString("latin1").startsWith("HTTP/1.1 101")) resolve();
      else reject(new Error(`no upgrade: ${head.toString("latin1").slice(0, 100)}`));
    });
    socket.once("close", () => reject(new Error("closed before the upgrade")));
  });
  return socket;
}

type Door = "gateway" | "hub";

/** A masked frame with a mask of zeros. `claimed`: the length that it says, where that is not its own. */
function frame(
  opcode: number,
  payload: Buffer,
  { fin = true, rsv = 0, masked = true, claimed = payload.length } = {},
): Buffer {
  const head = [(fin ? 0x80 : 0) | rsv | opcode];
  const length = Buffer.alloc(claimed < 126 ? 0 : claimed < 65_536 ? 2 : 8);
  if (length.length === 2) length.writeUInt16BE(claimed);
  if (length.length === 8) length.writeBigUInt64BE(BigInt(claimed));
  head.push((masked ? 0x80 : 0) | (claimed < 126 ? claimed : length.length === 2 ? 126 : 127));
  return Buffer.concat([Buffer.from(head), length, Buffer.alloc(masked ? 4 : 0), payload]);
}

const text = (message: unknown): Buffer =>
  frame(1, Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));

/** Resolves with the code of the close frame (0 without one) when the other side has ended the connection. */
function closed(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let last = Buffer.alloc(0);
    const late = setTimeout(() => reject(new Error("the connection was not ended within 30 s")), 30_000);
    socket.on("data", (part: Buffer) => (last = Buffer.concat([last.subarray(-4096), part])));
    socket.once("close", () => {
      clearTimeout(late);
      const at = last.lastIndexOf(0x88);
      resolve(at >= 0 && at + 4 <= last.length ? last.readUInt16BE(at + 2) : 0);
    });
  });
}

interface Frames {
  readonly name: string;
  readonly code: number;
  readonly bytes: (size: Size) => Iterable<Buffer>;
}

/** Frames that end the connection with a code of RFC 6455. */
const ENDS: readonly Frames[] = [
  {
    name: "a frame of 100 MiB",
    code: 1009,
    bytes: () => [frame(1, Buffer.alloc(1 << 20, 97), { claimed: 100 << 20 })],
  },
  {
    name: "a frame of 2^63 bytes",
    code: 1009,
    bytes: () => [frame(1, Buffer.from("a"), { claimed: Number.MAX_SAFE_INTEGER })],
  },
  {
    name: "a million empty fragments",
    code: 1008,
    *bytes() {
      yield frame(1, Buffer.alloc(0), { fin: false });
      for (let i = 0; i < 100; i++)
        yield Buffer.concat(Array.from({ length: 10_000 }, () => frame(0, Buffer.alloc(0), { fin: false })));
    },
  },
  {
    name: "fragments of 17 kB together",
    code: 1009,
    bytes: () => [frame(1, Buffer.alloc(9000, 97), { fin: false }), frame(0, Buffer.alloc(9000, 97))],
  },
  { name: "bad UTF-8", code: 1007, bytes: () => [frame(1, Buffer.from([0xff, 0xfe, 0xc0, 0x80]))] },
  { name: "a lone surrogate in UTF-8", code: 1007, bytes: () => [frame(1, Buffer.from([0xed, 0xa0, 0x80]))] },
  { name: "a frame without a mask", code: 1002, bytes: () => [frame(1, Buffer.from("{}"), { masked: false })] },
  {
    name: "a compressed frame that nobody agreed on",
    code: 1002,
    bytes: () => [frame(1, Buffer.from("x"), { rsv: 0x40 })],
  },
  { name: "an opcode that is none", code: 1002, bytes: () => [frame(0xb, Buffer.alloc(0))] },
  { name: "a continuation of nothing", code: 1002, bytes: () => [frame(0, Buffer.from("x"))] },
  { name: "a fragmented ping", code: 1002, bytes: () => [frame(9, Buffer.from("x"), { fin: false })] },
  { name: "a ping of 126 bytes", code: 1002, bytes: () => [frame(9, Buffer.alloc(126))] },
  { name: "a close with a code that is none", code: 1002, bytes: () => [frame(8, Buffer.from([0, 5]))] },
];

/** Messages that are answered with a problem, and the connection stays. */
const ANSWERED: readonly (readonly [string, Buffer])[] = [
  ["bytes where text is due", frame(2, randomBytes(1000))],
  ["no JSON", text("{")],
  ["nothing", text("")],
  ["a number", text("1e999")],
  ["an array 8,000 deep", text("[".repeat(8000))],
  [
    "__proto__ among the keys",
    text(
      '{"type":"subscribe","id":"a","filter":"","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ),
  ],
  ["an unknown type", text({ type: "publish", id: "a" })],
  ["an id of 65 characters", text({ type: "subscribe", id: "a".repeat(65), filter: "" })],
  ["a filter that is an object", text({ type: "subscribe", id: "a", filter: { $ne: 1 } })],
  ["a filter of 5,000 characters", text({ type: "subscribe", id: "a", filter: "a".repeat(5000) })],
  ["a wrong filter", text({ type: "subscribe", id: "a", filter: "prot:TCP" })],
  ["kinds that are none", text({ type: "subscribe", id: "a", filter: "", kinds: ["drop", "__proto__"] })],
  ["a pause of nothing", text({ type: "pause", id: "toString" })],
];

const frames: readonly Input[] = (["gateway", "hub"] as const).flatMap((door) => [
  ...ENDS.map(({ name, code, bytes }): Input => ({
    name: `${door}: ${name}`,
    expected: `the connection is closed with ${code}, before it costs memory`,
    alone: true,
    async throwAt(house, size) {
      const before = house.appMemory();
      const socket = await upgraded(house, door);
      const ended = closed(socket);
      for (const part of bytes(size)) if (!socket.destroyed) socket.write(part);
      const got = await ended;
      // 0: the reset of what we still sent overtook the close frame
      expectThat(got === code || got === 0, `closed with ${got}`);
      expectThat(house.appMemory() - before < 64 << 20, `the app grew by ${(house.appMemory() - before) >> 20} MiB`);
    },
  })),
  ...ANSWERED.map(([name, bytes]): Input => ({
    name: `${door}: ${name}`,
    expected: "a problem in words, and the connection stays",
    async throwAt(house) {
      const socket = await upgraded(house, door);
      let said = "";
      socket.on("data", (part: Buffer) => (said += part.toString("latin1")));
      socket.write(bytes);
      await until("a problem", () => said.includes('"type":"problem"') || socket.destroyed);
      expectThat(!socket.destroyed, "the connection was ended");
      expectThat(!("polluted" in {}), "Object.prototype was changed");
      socket.write(text({ type: "subscribe", id: "honest", filter: "port:1" }));
      const before = house.hub.subscriptions;
      await until("an honest subscription", () => house.hub.subscriptions > 0 || house.hub.subscriptions > before);
      socket.destroy();
    },
  })),
]);

/** Origins of reliability.md §a2; only the last is this app's. */
function origins(port: number): readonly (readonly [string, string | readonly string[] | undefined])[] {
  return [
    ["absent", undefined],
    ["null", "null"],
    ["another site", "http://evil.example"],
    ["a sibling domain", `http://evil.127.0.0.1.nip.example:${port}`],
    ["another port", `http://127.0.0.1:${port + 1}`],
    ["another scheme", `https://127.0.0.1:${port}`],
    ["this app as a prefix", `http://127.0.0.1:${port}.evil.example`],
    ["upper case", `HTTP://127.0.0.1:${port}`],
    ["a trailing dot", `http://127.0.0.1.:${port}`],
    ["IPv6 of the same machine", `http://[::1]:${port}`],
    ["a user name", `http://127.0.0.1:${port}@evil.example`],
    ["this app as a user name's host", `http://evil@127.0.0.1:${port}`],
    ["two of them", [`http://127.0.0.1:${port}`, "http://evil.example"]],
    ["a path behind it", `http://127.0.0.1:${port}/`],
    ["a file", "file://"],
    ["this app", `http://127.0.0.1:${port}`],
  ];
}

const originMatrix: Input = {
  name: "gateway: 16 Origins",
  expected: "only this app's own gets 101",
  async throwAt(house) {
    const all = origins(house.appPort);
    for (const [i, [name, origin]] of all.entries()) {
      const status = await upgradeStatus(house, origin);
      const wanted = i === all.length - 1 ? 101 : 403;
      expectThat(status === wanted, `Origin ${name}: ${status} instead of ${wanted}`);
    }
  },
};

function upgradeStatus(house: House, origin: string | readonly string[] | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port: house.appPort,
      path: "/ws",
      agent: false,
      headers: {
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
        ...(origin === undefined ? {} : { origin: typeof origin === "string" ? origin : [...origin] }),
      } as Record<string, string | string[]>,
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

const manySubscriptions: readonly Input[] = (["gateway", "hub"] as const).map((door) => ({
  name: `${door}: 10,000 subscriptions on one connection`,
  expected: `${MAX_SUBSCRIPTIONS} are kept, each other one is refused in words`,
  alone: true,
  async throwAt(house) {
    const socket = await upgraded(house, door);
    let refused = 0;
    let rest = "";
    socket.on("data", (part: Buffer) => {
      const all = rest + part.toString("latin1");
      refused += all.split("subscriptions").length - 1;
      rest = all.slice(-12);
    });
    for (let i = 0; i < 10_000; i++)
      socket.write(text({ type: "subscribe", id: `s${i}`, filter: `port:${i % 60_000}` }));
    await until("10,000 less the kept are refused", () => refused >= 10_000 - MAX_SUBSCRIPTIONS);
    expectThat(
      house.hub.subscriptions === MAX_SUBSCRIPTIONS,
      `${house.hub.subscriptions} subscriptions at the collector`,
    );
    socket.destroy();
    await until("they are gone with the connection", () => house.hub.subscriptions === 0);
  },
}));

const pings: readonly Input[] = (["gateway", "hub"] as const).map((door) => ({
  name: `${door}: a million pings of one who never reads`,
  expected: "answers do not pile up",
  alone: true,
  async throwAt(house, size) {
    const socket = await upgraded(house, door);
    socket.pause();
    const before = door === "gateway" ? house.appMemory() : residentBytes(process.pid);
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => frame(9, Buffer.alloc(125, 97))));
    const batches = size === "small" ? 200 : 1000;
    for (let i = 0; i < batches && !socket.destroyed; i++) {
      if (!socket.write(batch))
        await new Promise<void>((resolve) => {
          const go = (): void => {
            socket.off("drain", go);
            socket.off("close", go);
            resolve();
          };
          socket.once("drain", go);
          socket.once("close", go);
        });
    }
    const grown = (door === "gateway" ? house.appMemory() : residentBytes(process.pid)) - before;
    expectThat(grown < 64 << 20, `it grew by ${grown >> 20} MiB`);
    socket.destroy();
  },
}));

const neverReading: Input = {
  name: "gateway: 1,000 clients that never read",
  expected:
    "at most 128 KiB of the app's memory each; each is told what it missed when it reads again; another one misses nothing",
  alone: true,
  async throwAt(house, size) {
    const count = size === "small" ? 200 : 1000;
    const own = `http://127.0.0.1:${house.appPort}`;
    const honest = new WebSocket(`${own.replace("http", "ws")}/ws`, { origin: own });
    let got = 0;
    let missed = 0;
    honest.on("message", (data: Buffer) => {
      const message = LiveMessage.parse(JSON.parse(data.toString()));
      if (message.type !== "flows") return;
      got += message.flows.length;
      missed += message.missed;
    });
    await new Promise((resolve) => honest.once("open", resolve));
    honest.send(JSON.stringify({ type: "subscribe", id: "h", filter: "port:7" }));
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = await upgraded(house, "gateway");
      socket.write(text({ type: "subscribe", id: "deaf", filter: "port:9" }));
      socket.pause();
      sockets.push(socket);
    }
    await until("all subscriptions reach the collector", () => house.hub.subscriptions === count + 1);
    const before = house.appMemory();
    const deaf = rowsTo(...Array.from({ length: 400 }, () => 9));
    const rounds = size === "small" ? 30 : 60;
    let sent = 0;
    for (let round = 0; round < rounds; round++) {
      house.hub.publish(deaf);
      house.hub.publish(rowsTo(7));
      sent++;
      const had = got + missed;
      await until("the honest client gets its flow", () => got + missed > had || got + missed >= sent);
    }
    await until("the honest client has all", () => got === sent);
    expectThat(missed === 0, `the honest client missed ${missed}`);
    const each = (house.appMemory() - before) / count;
    // what V8 has not collected yet is not a client's
    expectThat(each < (128 << 10) + (96 << 20) / count, `${Math.round(each / 1024)} KiB each`);
    const one = sockets[0]!;
    let said = "";
    one.on("data", (part: Buffer) => (said = said.slice(-100_000) + part.toString("latin1")));
    one.resume();
    await until("it is told what it missed", () => {
      house.hub.publish(rowsTo(9));
      return /"missed":[1-9]\d*/.test(said);
    });
    for (const socket of sockets) socket.destroy();
    honest.terminate();
    await until("they are gone", () => house.hub.subscriptions === 0);
  },
};

/** Its connections are ended whatever becomes of it. */
function tidy(input: Input): Input {
  return {
    ...input,
    alone: true,
    async throwAt(house, size) {
      try {
        await input.throwAt(house, size);
      } finally {
        endThem();
      }
      await until("no subscription is left", () => house.hub.subscriptions === 0);
    },
  };
}

export function wsInputs(): readonly Input[] {
  return [originMatrix, ...frames, ...manySubscriptions, ...pings, neverReading].map(tidy);
}

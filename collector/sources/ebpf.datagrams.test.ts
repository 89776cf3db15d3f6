import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatAddress } from "../../model/address.ts";
import {
  bytesOf,
  commOf,
  destinationPortOf,
  directionOf,
  EventType,
  familyOf,
  sourcePortOf,
  typeOf,
  wide,
  type Batch,
  type ConversationColumns,
  type DnsColumns,
  type NatColumns,
  type ConnColumns,
} from "../decode/columns.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, Rows, until, World } from "./ebpf.world.ts";

const conversation = (batch: ConversationColumns, i: number) => ({
  type: typeOf(batch, i),
  netns: batch.netns[i]!,
  direction: directionOf(batch, i),
  family: familyOf(batch, i),
  remote: formatAddress(bytesOf(batch.destination), i * 16),
  localPort: sourcePortOf(batch, i),
  remotePort: destinationPortOf(batch, i),
  txPackets: batch.txPackets[i]!,
  rxPackets: batch.rxPackets[i]!,
  txBytes: wide(batch.txBytesLow[i]!, batch.txBytesHigh[i]!),
  rxBytes: wide(batch.rxBytesLow[i]!, batch.rxBytesHigh[i]!),
  pid: batch.pid[i]!,
  comm: commOf(batch, i),
});

const answer = (batch: DnsColumns, i: number) => ({
  name: batch.names[batch.name[i]!]!,
  queryType: batch.queryType[i]!,
  rcode: batch.rcode[i]!,
  flags: batch.flags[i]!,
  latencyUs: batch.latencyUs[i]!,
  server: formatAddress(bytesOf(batch.destination), i * 16),
  addresses: Array.from({ length: batch.addressCount[i]! }, (_, k) =>
    formatAddress(bytesOf(batch.addresses), (batch.addressStart[i]! + k) * 16),
  ),
  ttl: batch.ttl[batch.addressStart[i]!]!,
});

const translation = (batch: NatColumns, i: number) => ({
  client: formatAddress(bytesOf(batch.source), i * 16),
  clientPort: sourcePortOf(batch, i),
  service: formatAddress(bytesOf(batch.destination), i * 16),
  servicePort: destinationPortOf(batch, i),
  backend: formatAddress(bytesOf(batch.backend), i * 16),
  backendPort: batch.backendPort[i]!,
});

/** Answers A with two addresses behind a CNAME, AAAA with one, `no.*` with NXDOMAIN. */
const DNS_SERVER = `
const name = (text) => Buffer.concat([...text.split(".").map((l) => Buffer.concat([Buffer.of(l.length), Buffer.from(l)])), Buffer.of(0)]);
const record = (owner, type, data) => Buffer.concat([owner, Buffer.of(0, type, 0, 1, 0, 0, 0, 77, 0, data.length), data]);
const start = (kind, address) => new Promise((resolve) => {
  const socket = dgram.createSocket({ type: kind, ipv6Only: kind === "udp6" });
  socket.on("message", (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    const type = query[end + 2];
    const question = query.subarray(12, end + 5), missing = query.subarray(13, 15).toString().toLowerCase() === "no";
    const alias = name("real.example"), own = Buffer.of(0xc0, 12);
    const data = type === 1 ? [[192, 0, 2, 1], [192, 0, 2, 2]] : [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]];
    const answers = missing ? [] : [record(own, 5, alias), ...data.map((bytes) => record(alias, type, Buffer.from(bytes)))];
    const head = Buffer.concat([query.subarray(0, 2), Buffer.of(0x81, missing ? 0x83 : 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0)]);
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  socket.bind(53, address, resolve);
});
await start("udp4", "0.0.0.0"); await start("udp6", "::");
console.log("{}");`;

describe("UDP, ping, DNS and service addresses", () => {
  let world: World;
  let source: EbpfSource;
  const talks = new Rows("conversations", conversation);
  const answers = new Rows("dns", answer);
  const nat = new Rows("nat", translation);
  const order: string[] = [];
  const sink = (batch: Batch) => {
    for (const rows of [talks, answers, nat]) rows.take(batch);
    if (batch.kind === "nat") for (let i = 0; i < batch.length; i++) order.push(`nat ${sourcePortOf(batch, i)}`);
    if (batch.kind === "connections") noteOpens(batch);
  };
  const noteOpens = (batch: ConnColumns) => {
    for (let i = 0; i < batch.length; i++) {
      if (typeOf(batch, i) === EventType.open && directionOf(batch, i) === 2)
        order.push(`open ${sourcePortOf(batch, i)}`);
    }
  };

  beforeAll(async () => {
    world = new World("u");
    world.nft(
      "router",
      `add table inet n; add chain inet n p { type nat hook prerouting priority -100; };
       add rule inet n p ip daddr ${ADDRESS.service.v4} tcp dport 80 dnat ip to ${ADDRESS.server.v4}:8080;
       add rule inet n p ip6 daddr ${ADDRESS.service.v6} tcp dport 80 dnat ip6 to [${ADDRESS.server.v6}]:8080;
       add rule inet n p ip daddr ${ADDRESS.service.v4} udp dport 5300 dnat ip to ${ADDRESS.server.v4}:9300`,
    );
    source = new EbpfSource({
      sink,
      namespaces: world.inodes,
      unansweredIdleMs: 1500,
      udpIdleMs: 1500,
      conversationMs: 200,
    });
    await source.start(new AbortController().signal);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test("a UDP conversation is announced at once, counted exactly at both ends, and ended when it falls silent", async () => {
    const { port, stop } = await world.serve<{ port: number }>(
      "server",
      `const s = dgram.createSocket({ type: "udp6" });
       s.on("message", (data, from) => s.send(Buffer.alloc(data.length * 2), from.port, from.address));
       s.bind(0, "::", () => console.log(JSON.stringify({ port: s.address().port })));`,
    );
    for (const family of ["v4", "v6"] as const) {
      const { localPort, pid } = await world.node<{ localPort: number; pid: number }>(
        "client",
        `const s = dgram.createSocket(input.family === "v4" ? "udp4" : "udp6");
         for (let i = 1; i <= 25; i++) { s.send(Buffer.alloc(i), input.port, input.address); await once(s, "message"); }
         console.log(JSON.stringify({ localPort: s.address().port, pid: process.pid })); s.close();`,
        { family, port, address: ADDRESS.server[family] },
      );
      const near = () => talks.rows.filter((row) => row.netns === world.inode("client") && row.localPort === localPort);
      const far = () => talks.rows.filter((row) => row.netns === world.inode("server") && row.remotePort === localPort);
      await until("both ends", () =>
        [near(), far()].every((rows) => rows.some(({ type }) => type === EventType.conversationEnd)),
      );
      const sum = (rows: ReturnType<typeof near>) =>
        rows.reduce(
          (a, b) => ({
            tx: a.tx + b.txPackets,
            rx: a.rx + b.rxPackets,
            txBytes: a.txBytes + b.txBytes,
            rxBytes: a.rxBytes + b.rxBytes,
          }),
          { tx: 0, rx: 0, txBytes: 0, rxBytes: 0 },
        );
      expect(sum(near())).toEqual({ tx: 25, rx: 25, txBytes: 325, rxBytes: 650 });
      expect(sum(far())).toEqual({ tx: 25, rx: 25, txBytes: 650, rxBytes: 325 });
      expect(near()[0]).toMatchObject({
        type: EventType.conversationStart,
        direction: 2,
        remote: ADDRESS.server[family],
        remotePort: port,
        family: family === "v4" ? 4 : 6,
      });
      expect([0, pid]).toContain(near()[0]!.pid);
      expect(far()[0]).toMatchObject({ type: EventType.conversationStart, direction: 1 });
      expect(near().filter(({ type }) => type === EventType.conversationStart)).toHaveLength(1);
    }
    await stop();
  });

  test("what a thread sends is its process's, by the process's own name", async () => {
    const { pid } = await world.node<{ pid: number }>(
      "client",
      // the C library asks, in a thread with a name of its own
      `process.env.RES_OPTIONS = "timeout:1 attempts:1"; process.title = "shopper";
       await dns.lookup("nobody.example").catch(() => {});
       console.log(JSON.stringify({ pid: process.pid }));`,
    );
    const asked = () => talks.rows.filter((row) => row.pid === pid && row.remotePort === 53);
    await until("the question is told of", () => asked().length > 0);
    expect(new Set(asked().map(({ comm }) => comm))).toEqual(new Set(["shopper"]));
  });

  test("DNS answers give name, type, result, addresses and latency, whatever the server's family", async () => {
    const { stop } = await world.serve("server", DNS_SERVER);
    await world.node(
      "client",
      `for (const server of input) {
         const resolver = new dns.Resolver({ tries: 1, timeout: 3000 }); resolver.setServers([server]);
         await resolver.resolve4("Www.Example.com"); await resolver.resolve6("www.example.com"); await resolver.resolve4("no.such.name").catch(() => {});
       }
       console.log("{}");`,
      [ADDRESS.server.v4, `[${ADDRESS.server.v6}]`],
    );
    await until("six answers", () => answers.rows.length >= 6);
    for (const server of [ADDRESS.server.v4, ADDRESS.server.v6]) {
      const from = answers.rows.filter((row) => row.server === server);
      expect(
        from.map(({ name, queryType, rcode, flags, addresses }) => ({ name, queryType, rcode, flags, addresses })),
      ).toEqual([
        { name: "www.example.com", queryType: 1, rcode: 0, flags: 0, addresses: ["192.0.2.1", "192.0.2.2"] },
        { name: "www.example.com", queryType: 28, rcode: 0, flags: 0, addresses: ["2001:db8::9"] },
        { name: "no.such.name", queryType: 1, rcode: 3, flags: 0, addresses: [] },
      ]);
      expect(from[0]!.ttl).toBe(77);
      expect(from.every(({ latencyUs }) => latencyUs > 0)).toBe(true);
    }
    await stop();
  });

  test("a connection to a service address names the back end that answered, before the connection itself is delivered", async () => {
    source.scan();
    const { stop } = await world.serve(
      "server",
      `net.createServer((s) => s.end("x")).listen(8080, "::", () => console.log("{}"));`,
    );
    for (const family of ["v4", "v6"] as const) {
      const { port } = await world.node<{ port: number }>(
        "client",
        `const s = net.connect(80, "${ADDRESS.service[family]}"); await once(s, "connect"); const port = s.localPort; s.resume(); await once(s, "close"); console.log(JSON.stringify({ port }));`,
      );
      await until("the translation", () => order.includes(`open ${port}`));
      expect(nat.rows.filter((row) => row.clientPort === port)).toEqual([
        {
          client: ADDRESS.client[family],
          clientPort: port,
          service: ADDRESS.service[family],
          servicePort: 80,
          backend: ADDRESS.server[family],
          backendPort: 8080,
        },
      ]);
      expect(order.indexOf(`nat ${port}`)).toBeLessThan(order.indexOf(`open ${port}`));
    }
    await stop();
  });

  test("a UDP service names its back end once, however many answers come", async () => {
    source.scan();
    const { stop } = await world.serve(
      "server",
      `const s = dgram.createSocket("udp4"); s.on("message", (data, from) => s.send(data, from.port, from.address)); s.bind(9300, () => console.log("{}"));`,
    );
    const { port } = await world.node<{ port: number }>(
      "client",
      `const s = dgram.createSocket("udp4");
       for (let i = 0; i < 5; i++) { s.send("x", 5300, "${ADDRESS.service.v4}"); await once(s, "message"); }
       console.log(JSON.stringify({ port: s.address().port })); s.close();`,
    );
    source.flush();
    expect(nat.rows.filter((row) => row.clientPort === port)).toEqual([
      {
        client: ADDRESS.client.v4,
        clientPort: port,
        service: ADDRESS.service.v4,
        servicePort: 5300,
        backend: ADDRESS.server.v4,
        backendPort: 9300,
      },
    ]);
    await stop();
  });

  test("a ping is a conversation of its asker and of the kernel that answers", async () => {
    const ping = world.run("client", "sh", "-c", "command -v ping || true").trim();
    if (ping === "") throw new Error("ping is missing; apt-get install iputils-ping");
    for (const family of ["v4", "v6"] as const) {
      const before = talks.rows.length;
      world.run("client", "ping", "-c3", "-i0.2", "-s100", ADDRESS.server[family]);
      const rows = (place: "client" | "server") =>
        talks.rows
          .slice(before)
          .filter(
            (row) =>
              row.netns === world.inode(place) &&
              row.type !== EventType.conversationStart &&
              row.remotePort === row.localPort &&
              row.localPort !== 53,
          );
      const packets = (place: "client" | "server") =>
        rows(place).reduce(
          (sum, row) => [sum[0]! + row.txPackets, sum[1]! + row.rxPackets, sum[2]! + row.txBytes],
          [0, 0, 0],
        );
      await until("three answers", () => packets("client")[1] === 3 && packets("server")[0] === 3);
      expect(packets("client")).toEqual([3, 3, 300]);
      expect(packets("server")).toEqual([3, 3, 300]);
      expect(rows("client")[0]!.direction).toBe(2);
      expect(rows("server")[0]!.direction).toBe(1);
    }
  });
});

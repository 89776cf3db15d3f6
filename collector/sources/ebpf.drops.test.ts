import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatAddress } from "../../model/address.ts";
import {
  bytesOf,
  destinationPortOf,
  EventType,
  protocolOf,
  sourcePortOf,
  tcpFlagsOf,
  typeOf,
  type DropColumns,
} from "../decode/columns.ts";
import { dropReasons, kernelBtf } from "../kernel/btf.ts";
import { kernelSymbols } from "../kernel/symbols.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, Rows, until, World } from "./ebpf.world.ts";

const reasons = dropReasons(kernelBtf());
const symbols = kernelSymbols();

const read = (batch: DropColumns, i: number) => ({
  type: typeOf(batch, i),
  reason: reasons.get(batch.reason[i]!) ?? String(batch.reason[i]),
  at: symbols.nameOf(batch.locationLow[i]!, batch.locationHigh[i]!),
  netns: batch.netns[i]!,
  from: formatAddress(bytesOf(batch.source), i * 16),
  fromPort: sourcePortOf(batch, i),
  to: formatAddress(bytesOf(batch.destination), i * 16),
  toPort: destinationPortOf(batch, i),
  protocol: protocolOf(batch, i),
  tcpFlags: tcpFlagsOf(batch, i),
  count: batch.count[i]!,
  cpu: batch.cpu[i]!,
  stack: batch.stack[i]!,
});

/** xorshift32: the same numbers for the same seed, in the test and in the namespace. */
const FLOOD = `
let state = input.seed;
const random = (n) => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return (state >>> 0) % n; };
const sockets = input.flows.map(({ v6 }) => dgram.createSocket(v6 ? "udp6" : "udp4"));
const sent = input.flows.map(() => 0);
for (let i = 0; i < input.packets; i++) {
  const flow = random(input.flows.length);
  await new Promise((resolve, reject) => sockets[flow].send("x", input.flows[flow].port, input.flows[flow].address, (error) => error ? reject(error) : resolve()));
  sent[flow]++;
  if (random(400) === 0) await new Promise((resolve) => setTimeout(resolve, random(50)));
}
const ports = sockets.map((socket) => socket.address().port);
console.log(JSON.stringify({ sent, ports }));
process.exit(0);`;

describe("dropped packets", () => {
  let world: World;
  let source: EbpfSource;
  const seen = new Rows("drops", read);

  beforeAll(async () => {
    world = new World("d");
    world.sysctl("client", "net.ipv4.tcp_syn_retries=1", "net.ipv4.tcp_syn_linear_timeouts=0");
    world.nft(
      "server",
      "add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 81 drop; add rule inet t in udp dport 82 drop",
    );
    source = new EbpfSource({ sink: seen.take, namespaces: world.inodes, dropMs: 200 });
    await source.start(new AbortController().signal);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const knock = (address: string, port: number) =>
    world.node(
      "client",
      `const s = net.connect(input.port, input.address); s.on("error", (e) => console.log(JSON.stringify(e.code)));`,
      { address, port },
    );

  test("a closed port, a firewall and a silent neighbour are told apart, by reason, function and place", async () => {
    for (const family of ["v4", "v6"] as const) {
      await knock(ADDRESS.server[family], 9);
      await knock(ADDRESS.server[family], 81);
    }
    await knock(ADDRESS.nobody.v4, 80);
    const find = (reason: string, to: string) => seen.rows.find((row) => row.reason === reason && row.to === to);
    await until("a failed neighbour", () => find("NEIGH_FAILED", ADDRESS.nobody.v4) !== undefined);
    expect(find("NO_SOCKET", ADDRESS.server.v4)).toMatchObject({
      netns: world.inode("server"),
      toPort: 9,
      at: "tcp_v4_rcv",
      tcpFlags: 2,
      protocol: 6,
    });
    expect(find("NO_SOCKET", ADDRESS.server.v6)).toMatchObject({
      netns: world.inode("server"),
      toPort: 9,
      at: "tcp_v6_rcv",
      protocol: 6,
    });
    expect(find("NETFILTER_DROP", ADDRESS.server.v4)).toMatchObject({
      netns: world.inode("server"),
      toPort: 81,
      at: "nft_do_chain",
    });
    expect(find("NETFILTER_DROP", ADDRESS.server.v6)).toMatchObject({
      netns: world.inode("server"),
      toPort: 81,
      at: "nft_do_chain",
    });
    expect(find("NEIGH_FAILED", ADDRESS.nobody.v4)).toMatchObject({
      netns: world.inode("router"),
      from: ADDRESS.client.v4,
    });
    const stack = source.stackOf(find("NETFILTER_DROP", ADDRESS.server.v4)!.stack);
    const names = Array.from({ length: stack.length / 2 }, (_, i) => symbols.nameOf(stack[2 * i]!, stack[2 * i + 1]!));
    expect(names).toContain("ip_local_deliver");
  });

  test("a flood is one event a flow and period, and its counts add up to every packet that was sent", async () => {
    const seed = Number(process.env["WEIR_SEED"] ?? 1 + Math.floor(Math.random() * 2 ** 31));
    const flows = Array.from({ length: 12 }, (_, i) => ({
      v6: i % 2 === 1,
      address: i % 2 === 1 ? ADDRESS.server.v6 : ADDRESS.server.v4,
      port: i % 3 === 0 ? 82 : 9000 + i, // 82: the firewall, else no socket
    }));
    const before = source.counters().dropsPassed;
    const { sent, ports } = await world.node<{ sent: number[]; ports: number[] }>("client", FLOOD, {
      seed,
      flows,
      packets: 4000,
    });
    source.flush();
    source.flush();
    const of = (flow: number) =>
      seen.rows.filter(
        (row) => row.protocol === 17 && row.fromPort === ports[flow] && row.toPort === flows[flow]!.port,
      );
    const counted = flows.map((_, flow) => of(flow).reduce((sum, { count }) => sum + count, 0));
    expect({ seed, counted }).toEqual({ seed, counted: sent });
    expect(
      flows.every((_, flow) =>
        of(flow).every(({ reason }) => reason === (flow % 3 === 0 ? "NETFILTER_DROP" : "NO_SOCKET")),
      ),
    ).toBe(true);
    expect(source.counters().dropsPassed - before).toBeGreaterThanOrEqual(4000);
    expect(seen.rows.length).toBeLessThan(2000);
  });

  test("an answered ping is no drop", async () => {
    const before = seen.rows.length;
    if (world.run("client", "sh", "-c", "command -v ping || true") === "")
      throw new Error("ping is missing; apt-get install iputils-ping");
    world.run("client", "ping", "-c1", "-W1", ADDRESS.server.v4);
    world.run("client", "ping", "-c1", "-W1", ADDRESS.server.v6);
    source.flush();
    expect(
      seen.rows
        .slice(before)
        .filter(({ protocol, reason }) => protocol !== 6 && protocol !== 17 && reason === "NO_SOCKET"),
    ).toEqual([]);
  });

  test("all counts together are what passed the kernel's filter", async () => {
    await source[Symbol.asyncDispose](); // detaches first: nothing happens between the last row and the books
    const { rows, dropsPassed } = source.counters();
    const lost = rows.filter(({ type }) => type === EventType.drop).reduce((sum, row) => sum + row.lost, 0);
    expect(seen.rows.reduce((sum, { count }) => sum + count, 0) + lost).toBe(dropsPassed);
  });
});

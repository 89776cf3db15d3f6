/** Where packets die: each hook of nftables and tc drops its own port, and every packet sent there is told with that hook, v4 and v6. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { placeOfDrop } from "../../model/reasons/drop-place.ts";
import { destinationPortOf, familyOf, protocolOf, type DropColumns } from "../decode/columns.ts";
import { dropReasons, kernelBtf } from "../kernel/btf.ts";
import { kernelSymbols } from "../kernel/symbols.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, Rows, World, type Place } from "./ebpf.world.ts";
import { callersIn } from "./kernel-names.ts";

const reasons = dropReasons(kernelBtf());
const symbols = kernelSymbols();

/** Port → where its packets die. */
const PORTS: Readonly<Record<number, { readonly at: Place; readonly hook: string; readonly passage: string }>> = {
  101: { at: "server", hook: "input", passage: "in" },
  102: { at: "server", hook: "prerouting", passage: "in" },
  103: { at: "router", hook: "forward", passage: "forward" },
  104: { at: "router", hook: "postrouting", passage: "out" },
  105: { at: "client", hook: "output", passage: "out" },
  106: { at: "server", hook: "netdev ingress", passage: "in" },
  107: { at: "client", hook: "netdev egress", passage: "out" },
  120: { at: "router", hook: "tc egress", passage: "out" },
  121: { at: "router", hook: "tc ingress", passage: "in" },
  9999: { at: "server", hook: "", passage: "in" }, // no socket: nobody's hook
};

const SEND = `
for (const address of input.addresses) for (const port of input.ports) {
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  for (let i = 0; i < input.packets; i++) await new Promise((done) => socket.send("x", port, address, done)); // EPERM of the output hook is the rule's answer
  socket.close();
}
console.log("1");`;

let world: World;
let source: EbpfSource;
const seen = new Rows<
  DropColumns,
  { port: number; family: number; netns: number; count: number; hook: string; passage: string }
>("drops", (batch, i) => {
  const [low, high] = [batch.locationLow[i]!, batch.locationHigh[i]!];
  const reason = reasons.get(batch.reason[i]!) ?? "";
  const callers = callersIn((id) => source.stackOf(id), symbols, batch.stack[i]!, low, high);
  return {
    ...placeOfDrop(reason, symbols.nameOf(low, high) ?? "", callers),
    port: protocolOf(batch, i) === 17 ? destinationPortOf(batch, i) : 0,
    family: familyOf(batch, i),
    netns: batch.netns[i]!,
    count: batch.count[i]!,
  };
});

beforeAll(async () => {
  world = new World("p");
  const chain = (family: string, name: string, hook: string, port: number) =>
    `add table ${family} w; add chain ${family} w ${name} { type filter hook ${hook} priority 0; }; add rule ${family} w ${name} udp dport ${port} drop`;
  world.nft("server", chain("inet", "a", "input", 101));
  world.nft("server", chain("inet", "b", "prerouting", 102));
  world.nft("router", chain("inet", "c", "forward", 103));
  world.nft("router", chain("inet", "d", "postrouting", 104));
  world.nft("client", chain("inet", "e", "output", 105));
  world.nft("server", chain("netdev", "f", "ingress device eth0", 106));
  world.nft("client", chain("netdev", "g", "egress device eth0", 107));
  source = new EbpfSource({ sink: seen.take, namespaces: world.inodes, dropMs: 100 });
  await source.start(new AbortController().signal);
  // neighbours first, so that no packet waits in, or is lost from, a queue for one
  for (const { v4, v6 } of [ADDRESS.server])
    for (const address of [v4, v6]) world.run("client", "ping", "-c1", "-W5", address);
});
afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** A classic BPF program of one instruction that answers TC_ACT_SHOT. */
const shot = (device: string, side: "ingress" | "egress", what: "add" | "del") =>
  what === "add"
    ? world.run("router", "tc", "filter", "add", "dev", device, side, "bpf", "da", "bytecode", "1,6 0 0 2")
    : world.run("router", "tc", "filter", "del", "dev", device, side);

test("every packet is told with the hook that dropped it and its direction at the device, also those that are only counted", async () => {
  const packets = 20;
  const addresses = [ADDRESS.server.v4, ADDRESS.server.v6];
  const send = (...ports: number[]) => world.node("client", SEND, { addresses, ports, packets });
  await send(101, 102, 103, 104, 105, 106, 107, 9999);
  world.run("router", "tc", "qdisc", "add", "dev", "v1", "clsact");
  world.run("router", "tc", "qdisc", "add", "dev", "v2", "clsact");
  shot("v2", "egress", "add");
  await send(120);
  shot("v2", "egress", "del");
  shot("v1", "ingress", "add");
  await send(121);
  shot("v1", "ingress", "del");
  source.flush();
  source.flush();
  const told = new Map<string, number>();
  for (const { port, family, netns, hook, passage, count } of seen.rows) {
    if (PORTS[port] === undefined) continue;
    const at = (["client", "router", "server"] as const).find((place) => world.inode(place) === netns);
    const key = `v${family} ${port}: ${hook}, ${passage}, at ${at}`;
    told.set(key, (told.get(key) ?? 0) + count);
  }
  const expected = [4, 6].flatMap((family) =>
    Object.entries(PORTS).map(
      ([port, { at, hook, passage }]) => [`v${family} ${port}: ${hook}, ${passage}, at ${at}`, packets] as const,
    ),
  );
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
});

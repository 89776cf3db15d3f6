/**
 * Captures the bytes of real rings: node collector/ring/testdata/make.ts. Writes golden.ring beside itself, and golden.txt with what the
 * decoder makes of it, to be looked at. Needs root: real programs, real packets between namespaces.
 *
 *   golden.ring: for each ring, u32 CPU | u32 bytes | records as the kernel wrote them
 */
import { writeFileSync } from "node:fs";
import { EbpfSource } from "../../sources/ebpf.ts";
import { ADDRESS, World } from "../../sources/ebpf.world.ts";
import { formatCapture, textOfRows, readCapture } from "../captured.ts";

const here = (name: string) => new URL(name, import.meta.url);

await using world = new World("g");
world.sysctl("client", "net.ipv4.tcp_syn_retries=1");
world.nft(
  "server",
  "add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 81 drop; add rule inet t in udp dport 82 drop",
);
world.nft(
  "router",
  `add table ip n; add chain ip n p { type nat hook prerouting priority -100; }; add rule ip n p ip daddr ${ADDRESS.service.v4} tcp dport 80 dnat to ${ADDRESS.server.v4}:8080`,
);
// drained by hand alone: what happens stays in the rings
await using source = new EbpfSource({
  sink: () => undefined,
  namespaces: world.inodes,
  drainMs: 3_600_000,
  pages: 16,
  conversationMs: 3_600_000,
});
await source.start(new AbortController().signal);
await world.serve(
  "server",
  `const answer = Buffer.from("0000818000010001000000000164076578616d706c650000010001c00c000100010000003c00040a4d0202", "hex");
const dnsServer = dgram.createSocket("udp4").on("message", (m, from) => { answer[0] = m[0]; answer[1] = m[1]; dnsServer.send(answer, from.port, from.address); }).bind(53);
const server = net.createServer((s) => { s.on("data", () => s.end("bye")); s.on("error", () => {}); }).listen({ port: 8080, host: "::" }, () => console.log("{}"));`,
);
await world.node(
  "client",
  `const one = (address, port) => new Promise((done) => { const s = net.connect(port, address, () => s.write("hello")); s.on("error", done).on("data", () => {}).on("close", done); });
for (let i = 0; i < 6; i++) for (const address of input.addresses) await one(address, 8080);
await one(input.service, 80);
for (const address of input.addresses) await one(address, 9);
const query = Buffer.from("123401000001000000000000" + "0164076578616d706c6500" + "00010001", "hex");
for (const port of [53, 82, 9001]) { const s = dgram.createSocket("udp4"); s.on("error", () => {}); await new Promise((done) => s.send(query, port, input.addresses[0], done)); await new Promise((done) => { s.on("message", done); setTimeout(done, 200); }); s.close(); }
console.log("1");`,
  { addresses: [ADDRESS.server.v4, ADDRESS.server.v6], service: ADDRESS.service.v4 },
);
const capture = formatCapture(source.waiting());
writeFileSync(here("golden.ring"), capture);
writeFileSync(here("golden.txt"), `${textOfRows(readCapture(capture)).join("\n")}\n`);

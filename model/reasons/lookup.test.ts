import { execFileSync } from "node:child_process";
import { describe as suite, expect, test } from "vitest";
import { DROP_ENTRIES, describeDrop, isNoise } from "./lookup.ts";

/** Names of the running kernel's enum skb_drop_reason, without prefix. bpftool is in the package of that name; .ci/run installs it. */
function kernelReasons(): string[] {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const dump = execFileSync("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "-j"], {
    env: { ...process.env, PATH: path },
    maxBuffer: 1 << 29,
    encoding: "utf8",
  });
  const { types } = JSON.parse(dump) as { types: { kind: string; name: string; values?: { name: string }[] }[] };
  const reasons = types.find((type) => type.kind === "ENUM" && type.name === "skb_drop_reason");
  return (reasons?.values ?? []).map((value) => value.name.replace(/^SKB_DROP_REASON_/, ""));
}

suite("drop reasons", () => {
  test("every reason of the running kernel is described", () => {
    const names = kernelReasons();
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !describeDrop({ reason: name }).known)).toEqual([]);
  });

  test("every text is complete: title, meaning, and what to do unless the layer is Open vSwitch's", () => {
    for (const [name, entry] of Object.entries(DROP_ENTRIES)) {
      expect(entry.title, name).toMatch(/^.{4,60}[^.]$/);
      expect(entry.meaning, name).toMatch(/\.$/);
      if (!name.startsWith("OVS_")) expect(entry.fix, name).toMatch(/\.$/);
      if (entry.severity === "noise") expect(entry.noise, name).toBeDefined();
    }
  });

  test("related names lead to a text of their own", () => {
    const elsewhere = /^(E[A-Z]+|[a-z_]+)$/; // errno and TCP symptoms: failures.test.ts
    for (const [name, entry] of Object.entries(DROP_ENTRIES))
      for (const other of entry.related ?? [])
        expect(other in DROP_ENTRIES || elsewhere.test(other), `${name} → ${other}`).toBe(true);
  });

  test("the kernel's prefix may stay on the name", () => {
    expect(describeDrop({ reason: "SKB_DROP_REASON_NO_SOCKET" })).toMatchObject({ name: "NO_SOCKET", known: true });
  });

  test("an unknown name is shown raw and says so", () => {
    for (const name of ["QUANTUM_FLUX", "constructor", "__proto__", "toString"])
      expect(describeDrop({ reason: name })).toMatchObject({
        known: false,
        title: name,
        name,
        checks: [],
        causes: [],
        policy: false,
      });
    expect(describeDrop({ reason: "X" }).meaning).toContain("not described in this version");
  });

  test("an old name gets the text of the new one", () => {
    expect(describeDrop({ reason: "PTYPE_ABSENT" }).title).toBe(DROP_ENTRIES["UNHANDLED_PROTO"]!.title);
  });

  test("a firewall drop names its hook, and says that the rule is not known", () => {
    const drop = describeDrop({ reason: "NETFILTER_DROP", location: "nft_do_chain", hookCaller: "ip_forward.isra.0" });
    expect(drop).toMatchObject({ policy: true, hook: "forward", where: "firewall, a chain of nftables" });
    expect(drop.decidedBy).toBe("The kernel names the hook (forward), not the rule.");
  });

  test("a reason without policy has nobody who decided", () => {
    expect(describeDrop({ reason: "NO_SOCKET", location: "tcp_v4_rcv" }).decidedBy).toBeUndefined();
  });
});

suite("drops without a stated reason", () => {
  const cases: [string, Parameters<typeof describeDrop>[0], string][] = [
    ["a silent IPv6 neighbour", { reason: "NOT_SPECIFIED", location: "neigh_invalidate" }, "NEIGH_FAILED"],
    ["a prohibit route", { reason: "NOT_SPECIFIED", location: "ip_error", icmpSent: "3/13" }, "ROUTE_PROHIBIT"],
    ["an unreachable route", { reason: "NOT_SPECIFIED", location: "ip_error", icmpSent: "3/1" }, "ROUTE_UNREACHABLE"],
    ["a blackhole route", { reason: "NOT_SPECIFIED", location: "ip_error", icmpSent: "none" }, "ROUTE_BLACKHOLE"],
    ["a route whose kind is not known", { reason: "NOT_SPECIFIED", location: "ip_error" }, "ROUTE_REFUSES"],
    ["an IPv6 blackhole", { reason: "NOT_SPECIFIED", location: "dst_discard_out" }, "ROUTE_BLACKHOLE"],
    ["XDP", { reason: "NOT_SPECIFIED", location: "do_xdp_generic.constprop.0" }, "XDP_DROP"],
    ["an NFQUEUE verdict", { reason: "NOT_SPECIFIED", location: "nfqnl_reinject" }, "NFQUEUE_DROP"],
    ["a queue without reader", { reason: "NOT_SPECIFIED", location: "nf_queue" }, "NFQUEUE_NO_READER"],
    [
      "late data",
      { reason: "NOT_SPECIFIED", location: "tcp_v4_rcv", rstSent: "SK_RST_REASON_TCP_TIMEWAIT_SOCKET" },
      "LATE_DATA",
    ],
    ["a late reset", { reason: "NOT_SPECIFIED", location: "tcp_v6_rcv", tcpFlags: 0x14 }, "LATE_RST"],
    ["TCP, nothing else known", { reason: "NOT_SPECIFIED", location: "tcp_v4_rcv" }, "TRANSPORT_UNUSABLE"],
    [
      "multicast over UDP",
      { reason: "NOT_SPECIFIED", location: "__udp4_lib_rcv", toGroup: true },
      "MULTICAST_NOT_JOINED",
    ],
    ["a function this version does not know", { reason: "NOT_SPECIFIED", location: "frobnicate" }, "NOT_SPECIFIED"],
    ["no function at all", { reason: "NOT_SPECIFIED" }, "NOT_SPECIFIED"],
  ];
  test.each(cases)("%s", (_, facts, showAs) => expect(describeDrop(facts).showAs).toBe(showAs));
});

suite("noise", () => {
  const cases: [string, Parameters<typeof isNoise>[0], boolean][] = [
    ["a delivered packet", { reason: "SKB_CONSUMED" }, true],
    ["a firewall drop", { reason: "NETFILTER_DROP" }, false],
    ["the echo reply of a ping", { reason: "NO_SOCKET", location: "ping_rcv", protocol: 1, icmpType: 0 }, true],
    ["a SYN to a closed port", { reason: "NO_SOCKET", location: "tcp_v4_rcv", protocol: 6, tcpFlags: 0x02 }, false],
    [
      "a FIN of a closed connection",
      { reason: "NO_SOCKET", location: "tcp_v4_rcv", protocol: 6, tcpFlags: 0x11 },
      true,
    ],
    ["a packet to a closed port whose flags are not known", { reason: "NO_SOCKET", protocol: 6 }, false],
    ["a duplicate", { reason: "TCP_OLD_DATA" }, true],
    ["a duplicate in a connection that retransmits", { reason: "TCP_OLD_DATA", flowTroubled: true }, false],
    ["one packet too big at a flow's start", { reason: "PKT_TOO_BIG", packets: 1, flowTroubled: false }, true],
    ["packets too big all the time", { reason: "PKT_TOO_BIG", packets: 40 }, false],
    ["multicast without a stated reason", { reason: "NOT_SPECIFIED", location: "ip6_mc_input" }, true],
    ["a silent IPv6 neighbour", { reason: "NOT_SPECIFIED", location: "neigh_invalidate" }, false],
    ["no stated reason and no function", { reason: "NOT_SPECIFIED" }, false],
    ["a traceroute", { reason: "IP_INHDR", location: "ip_forward", protocol: 17, dport: 33_440 }, true],
    ["a name of another kernel", { reason: "QUANTUM_FLUX" }, false],
  ];
  test.each(cases)("%s", (_, facts, noise) => expect(isNoise(facts)).toBe(noise));
});

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { CILIUM_NUMBERS, describeCilium } from "./cilium.ts";
import { DNS_NAMES, describeDns } from "./dns.ts";
import { ERRNO_NAMES, describeErrno, errnoName } from "./errno.ts";
import { describeIcmp } from "./icmp.ts";
import { INVISIBLE_LOSSES } from "./invisible.ts";
import { functionInWords, hookOfCaller, plainFunction } from "./kernel-functions.ts";
import { DROP_ENTRIES, describeDrop } from "./lookup.ts";
import { RESET_NAMES, describeReset } from "./rst.ts";
import { SYMPTOM_NAMES, describeSymptom } from "./symptoms.ts";
import { UNNAMED_ODDITIES } from "./unnamed-oddities.ts";
import { UNNAMED_VERDICTS } from "./unnamed-verdicts.ts";
import type { Description } from "./types.ts";

const OTHERS: readonly Description[] = [
  ...CILIUM_NUMBERS.map(describeCilium),
  ...ERRNO_NAMES.map(describeErrno),
  ...RESET_NAMES.map(describeReset),
  ...SYMPTOM_NAMES.map(describeSymptom),
  ...DNS_NAMES.map(describeDns),
];

test("Cilium's numbers 130 to 207 are described without a gap, by number and by name alike", () => {
  expect(CILIUM_NUMBERS.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 78 }, (_, i) => 130 + i));
  for (const number of CILIUM_NUMBERS)
    expect(describeCilium(describeCilium(number).name)).toEqual(describeCilium(number));
  expect(describeCilium(133)).toMatchObject({ name: "POLICY_DENIED", policy: true, layer: "filter" });
  expect(describeCilium(129)).toMatchObject({ known: false, title: "Cilium 129" });
});

test("every reset reason of the running kernel is described", () => {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const dump = execFileSync("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "-j"], {
    env: { ...process.env, PATH: path },
    maxBuffer: 1 << 29,
    encoding: "utf8",
  });
  const { types } = JSON.parse(dump) as { types: { kind: string; name: string; values?: { name: string }[] }[] };
  const names =
    types.find((type) => type.kind === "ENUM" && type.name === "sk_rst_reason")?.values?.map((value) => value.name) ??
    []; // the enum is newer than 6.9
  expect(names.filter((name) => !describeReset(name).known)).toEqual([]);
});

test("errors go by Linux' number and by name", () => {
  for (const [number, name] of [
    [111, "ECONNREFUSED"],
    [110, "ETIMEDOUT"],
    [113, "EHOSTUNREACH"],
    [101, "ENETUNREACH"],
    [104, "ECONNRESET"],
    [32, "EPIPE"],
    [103, "ECONNABORTED"],
    [99, "EADDRNOTAVAIL"],
    [98, "EADDRINUSE"],
    [13, "EACCES"],
    [1, "EPERM"],
    [105, "ENOBUFS"],
    [90, "EMSGSIZE"],
    [0, "GAVE_UP"],
  ] as const) {
    expect(errnoName(number)).toBe(name);
    expect(describeErrno(number)).toMatchObject({ known: true, name, number });
    expect(describeErrno(name)).toEqual(describeErrno(number));
  }
  expect(describeErrno(112)).toMatchObject({ known: true, name: "EHOSTDOWN", title: "Another ICMP error" });
  expect(describeErrno(5)).toMatchObject({ known: false, name: "errno 5" });
});

test("ICMP messages tell their error and the drops that go with them", () => {
  expect(describeIcmp(4, 3, 13)).toMatchObject({ errno: "EHOSTUNREACH", hardForUdp: true });
  expect(describeIcmp(6, 1, 3)).toMatchObject({ name: "v6 1/3", errno: "EHOSTUNREACH", hardForUdp: false });
  expect(describeIcmp(6, 4, 2)).toMatchObject({ errno: "EPROTO" });
  expect(describeIcmp(4, 99, 0)).toBeUndefined();
});

test("DNS results go by name and by RCODE", () => {
  expect(describeDns(3)).toEqual(describeDns("NXDOMAIN"));
  expect(describeDns(9)).toMatchObject({ known: false, name: "RCODE 9" });
});

test("every related name of every table has a text", () => {
  const known = (name: string) =>
    describeDrop({ reason: name }).known || describeErrno(name).known || describeSymptom(name).known;
  const rows = [
    ...Object.values(DROP_ENTRIES),
    ...[...UNNAMED_VERDICTS, ...UNNAMED_ODDITIES].map((row) => row.entry),
    ...OTHERS,
  ];
  expect(rows.flatMap((row) => row.related ?? []).filter((name) => !known(name))).toEqual([]);
});

test("texts are whole sentences, without exclamation marks, and noise has a rule", () => {
  for (const text of OTHERS) {
    expect(text.known, text.name).toBe(true);
    expect(text.meaning, text.name).toMatch(/^[A-Z0-9].*[.]$/s);
    expect(`${text.title}${text.meaning}${text.fix}${text.causes.join("")}`, text.name).not.toMatch(
      /!|\boops\b|successfully/i,
    );
    for (const cause of text.causes) expect(cause, text.name).not.toMatch(/\.$/);
    if (text.severity === "noise" && text.name !== "MAX") expect(text.noise.length, text.name).toBeGreaterThan(0);
  }
  for (const { what, shows } of INVISIBLE_LOSSES) expect(`${what}${shows}`).not.toMatch(/\.$/);
});

test("what the compiler appends to a kernel symbol is taken off", () => {
  for (const symbol of [
    "ip_error",
    "ip_error.isra.0",
    "ip_error.constprop.0",
    "ip_error.constprop.0.isra.0",
    "ip_error.part.0",
    "ip_error.cold",
    "ip_error+0x1c/0x80",
  ])
    expect(plainFunction(symbol)).toBe("ip_error");
  expect(functionInWords("__netif_receive_skb_core.constprop.0")).toMatch(/^interface, arrival/);
  expect(hookOfCaller("__ip_local_out")).toBe("output");
  expect(hookOfCaller("constructor")).toBeUndefined();
});

import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type FlowValues, PLACEHOLDERS, fillChecks, quoteForShell } from "./checks.ts";
import { CILIUM_NUMBERS, describeCilium } from "./cilium.ts";
import { DNS_NAMES, describeDns } from "./dns.ts";
import { ERRNO_NAMES, describeErrno } from "./errno.ts";
import { DROP_ENTRIES, describe } from "./lookup.ts";
import { RESET_NAMES, describeReset } from "./rst.ts";
import { SYMPTOM_NAMES, describeSymptom } from "./symptoms.ts";
import type { Check, Description } from "./types.ts";
import { UNNAMED_ODDITIES } from "./unnamed-oddities.ts";
import { UNNAMED_VERDICTS } from "./unnamed-verdicts.ts";

const EVERY: readonly Description[] = [
  ...Object.entries(DROP_ENTRIES).map(([name, entry]) => describe(name, entry)),
  ...[...UNNAMED_VERDICTS, ...UNNAMED_ODDITIES].map((row) => describe(row.showAs, row.entry)),
  ...CILIUM_NUMBERS.map(describeCilium),
  ...ERRNO_NAMES.map(describeErrno),
  ...RESET_NAMES.map(describeReset),
  ...SYMPTOM_NAMES.map(describeSymptom),
  ...DNS_NAMES.map(describeDns),
];

const FLOW: FlowValues = {
  src: "10.42.1.18",
  dst: "10.42.2.31",
  sport: 48_122,
  dport: 5432,
  proto: "tcp",
  device: "veth0",
  netns: "web",
  cgroup: "/system.slice/cart.service",
  location: "nft_do_chain",
};

/** What a shell makes of one word. */
function shellReads(words: readonly string[]): string[] {
  const script = words.map((word) => `printf '%s\\0' ${word}`).join("\n");
  return execFileSync("sh", ["-c", script], { encoding: "utf8", env: process.env }).split("\0").slice(0, -1);
}

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom(
    "$(id)",
    "`id`",
    "';id;'",
    '";id;"',
    "a\nid",
    "--help",
    "-x",
    "..",
    "a b",
    "$IFS",
    "\\",
    "'",
    "''",
    "!!",
    "*",
    "~root",
    "{a,b}",
    "#",
    "\u001b[31m",
    "\u202eab",
    "\0",
    "%s",
  ),
);

test("no template has a placeholder that nobody fills", () => {
  for (const { name, checks } of EVERY)
    for (const [command] of checks)
      for (const [, placeholder] of command.matchAll(/\{([^}]*)\}/g))
        expect(Object.keys(PLACEHOLDERS), `${name}: ${command}`).toContain(placeholder);
});

test("no placeholder stands inside of quotes, where a quoted value would come apart", () => {
  for (const { name, checks } of EVERY)
    for (const [command] of checks) {
      let quote = "";
      for (let i = 0; i < command.length; i++) {
        const sign = command.charAt(i);
        if (quote === "" && (sign === "'" || sign === '"')) quote = sign;
        else if (sign === quote) quote = "";
        else if (sign === "{") expect(quote, `${name}: ${command}`).toBe("");
      }
      expect(quote, `${name}: ${command}`).toBe("");
    }
});

test("every command is one that a shell can parse, and has a reason", () => {
  const commands = EVERY.flatMap((description) => fillChecks(description, FLOW));
  for (const { why } of commands) expect(why).toMatch(/^\S.{5,}[^.]$/);
  execFileSync("sh", ["-n", "-c", commands.map((check) => check.command).join("\n")]);
});

test("a flow that knows everything gets every check, one that knows nothing gets those without placeholders", () => {
  for (const description of EVERY) {
    expect(fillChecks(description, FLOW).length, description.name).toBe(description.checks.length);
    expect(fillChecks(description, {}).map((check) => check.command)).toEqual(
      description.checks.filter(([command]) => !command.includes("{")).map(([command]) => command),
    );
  }
});

test("a shell reads back exactly the value that was quoted", () => {
  const text = hostile.filter((value) => !value.includes("\0") && value.isWellFormed());
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (values) => {
      expect(shellReads(values.map(quoteForShell))).toEqual(values);
    }),
    { numRuns: 60 },
  );
});

test("a hostile device, namespace or control group is one word of the command, or the command is left out", () => {
  const checks: Check[] = [
    ["{device}", "w"],
    ["x{cgroup}/y", "w"],
    ["{netns}", "w"],
    ["{proto}", "w"],
    ["{location}", "w"],
    ["{src}", "w"],
  ];
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 20 }), (values) => {
      for (const value of values) {
        const filled = fillChecks(
          { checks },
          { device: value, cgroup: `/${value}`, proto: value, location: value, src: value },
        );
        const read = shellReads(filled.map((check) => check.command));
        for (const word of read) expect([value, `x/${value}/y`]).toContain(word);
        expect(read.join("")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }
    }),
    { numRuns: 40 },
  );
});

test("in every real command a hostile value stands in its quoted form, and only there", () => {
  const commands = (device: string) =>
    EVERY.flatMap((description) => fillChecks(description, { ...FLOW, device, netns: device })).map(
      (check) => check.command,
    );
  const plain = commands("QQ");
  for (const value of [
    "$(id)",
    "a;id",
    "a|id",
    "a&id",
    "a>b",
    "`id`",
    "a'b",
    'a"b',
    "*",
    "?",
    "~",
    "#",
    "!",
    "$IFS",
    "a{b,c}",
  ])
    expect(commands(value).map((command) => command.replaceAll(quoteForShell(value), "QQ"))).toEqual(plain);
});

test("values that cannot be what they claim leave their command out", () => {
  const bad: [keyof FlowValues, unknown][] = [
    ["src", "10.0.0.1; id"],
    ["src", "10.0.0.256"],
    ["dst", "example.org"],
    ["sport", 0],
    ["dport", 65_536],
    ["dport", 1.5],
    ["dport", "80"],
    ["device", "a/b"],
    ["device", "a b"],
    ["device", "a-name-that-is-too-long"],
    ["device", "-x"],
    ["cgroup", "system.slice"],
    ["cgroup", "/../../etc"],
    ["netns", "../x"],
    ["netns", "4026531840"],
    ["proto", "TCP;"],
    ["location", "f()"],
  ];
  for (const [name, value] of bad)
    expect(
      fillChecks({ checks: [[`x {${name}}`, "w"]] }, { [name]: value } as FlowValues),
      `${name} ${String(value)}`,
    ).toEqual([]);
});

test("commands that look at a network namespace run in the flow's, others do not", () => {
  const checks: Check[] = [
    ["ss -s", "w"],
    ["bpftool net show", "w"],
    ["dmesg", "w"],
    ["ss -s", "w", "there"],
    ["sysctl net/x", "w", "host"],
    ["sysctl vm/x", "w"],
  ];
  expect(fillChecks({ checks }, { netns: "web" }).map((check) => check.command)).toEqual([
    "ip netns exec web ss -s",
    "ip netns exec web bpftool net show",
    "dmesg",
    "ss -s",
    "sysctl net/x",
    "sysctl vm/x",
  ]);
});

test("ss gets IPv6 addresses in brackets, quoted; others get them plain", () => {
  const checks: Check[] = [
    ["ss -tn dst {dst}", "w"],
    ["ip route get {dst}", "w"],
  ];
  expect(fillChecks({ checks }, { dst: "fd00::1" }).map((check) => check.command)).toEqual([
    "ss -tn dst '[fd00::1]'",
    "ip route get fd00::1",
  ]);
});

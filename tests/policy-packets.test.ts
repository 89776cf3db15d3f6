/**
 * What the engine says, proven by packets: policies made by seed stand as nftables rules between network namespaces
 * (policy-packets/to-nft.ts, another reading of the specification), and every pair, port, protocol and family is tried for real.
 * A probe has ended when its answer came home or when the router has noted its packet as dropped: nothing hangs on time.
 * WEIR_RUNS: how many seeds (default 4); WEIR_SEED: the first of them.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerColumns, PROTOCOL_NUMBERS } from "../policy/engine.ts";
import { decisionText } from "../policy/explain/tiered.ts";
import { parsePolicies } from "../policy/parse/policies.ts";
import { compilePolicies } from "../policy/profiles.ts";
import { questionsOfTuples, worldOfTuples, type TupleEnd, type TupleSet } from "../policy/tuples.ts";
import { formatTuples, parseTuples } from "../policy/tuples-file.ts";
import { VERDICT_BITS } from "../policy/verdict.ts";
import type { Profile } from "../policy/world.ts";
import { WhatIf } from "../policy/what-if.ts";
import { WorldIndex } from "../policy/world-index.ts";
import { checkMachine } from "../scripts/demo/commands.ts";
import { CORNERS } from "./policy-packets/corners.ts";
import { PacketNetwork } from "./policy-packets/network.ts";
import { ENDS, NAMESPACES, PROBES, probeText, type Family } from "./policy-packets/people.ts";
import type { ProberNotice, ProberOrder } from "./policy-packets/prober.ts";
import { randomPolicies } from "./policy-packets/random-policies.ts";
import { rulesOf } from "./policy-packets/to-nft.ts";

const FIRST = Number(process.env["WEIR_SEED"] ?? 1 + Math.floor(Math.random() * 1e6));
const RUNS = Number(process.env["WEIR_RUNS"] ?? 4);
/** Every probe of a round must have ended by then, on a machine however busy. */
const ROUND_WITHIN_MS = 60_000;
const network = new PacketNetwork(`weir-packets${process.pid}`);
const answered = new Set<number>();
const arrived = new Set<number>();
let prober: ChildProcess | undefined;
let round = 0;
let asked = 0;

beforeAll(async () => {
  checkMachine();
  await network.build();
  const child = fork(fileURLToPath(new URL("policy-packets/prober.ts", import.meta.url)), network.names, {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  prober = child;
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the prober ended with ${code}`)));
    child.on("message", (notice: ProberNotice) => {
      if (notice.type === "ready") return resolve();
      if (notice.round !== round) return;
      if (notice.type === "asked") asked = notice.round;
      else for (const probe of notice.probes) (notice.type === "answered" ? answered : arrived).add(probe);
    });
  });
});
afterAll(async () => {
  if (prober !== undefined && prober.exitCode === null) {
    const gone = new Promise((resolve) => prober!.once("exit", resolve));
    prober.kill("SIGKILL");
    await gone;
  }
  await network.remove();
});

const seen = { allowed: 0, denied: 0 };

test("without policies every packet is answered", async () => {
  await tryAll(rulesOf(""));
  expect(PROBES.flatMap((probe, id) => (answered.has(id) ? [] : [probeText(probe)]))).toEqual([]);
});

test.each(Object.keys(CORNERS))(
  "corner: %s",
  async (name) => expect(await differences(CORNERS[name]!, "corner.yaml"), CORNERS[name]).toEqual([]),
  ROUND_WITHIN_MS + 30_000,
);

test.each(Array.from({ length: RUNS }, (_, i) => FIRST + i))(
  "what the engine allows passes, and what it denies is dropped (WEIR_SEED=%i)",
  async (seed) => {
    const yaml = randomPolicies(seed);
    expect(await differences(yaml, `seed-${seed}.yaml`), yaml).toEqual([]);
  },
  ROUND_WITHIN_MS + 30_000,
);

test("the seeds made packets of both kinds", () => {
  process.stderr.write(
    `policy-packets: ${Object.keys(CORNERS).length} corners, seeds ${FIRST}–${FIRST + RUNS - 1}, ${PROBES.length} probes each, ${seen.allowed} passed, ${seen.denied} dropped\n`,
  );
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(PROBES.length / 100);
});

/** Puts policies in force, sends everything, and says where the engine (tables, explain and what-if) and the packets differ. */
async function differences(yaml: string, file: string): Promise<string[]> {
  const { documents, problems } = parsePolicies(yaml, file);
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  const dropped = await tryAll(rulesOf(yaml));
  const wrong: string[] = [];
  for (const [id, probe] of PROBES.entries()) {
    const passes = answered.has(id);
    seen[passes ? "allowed" : "denied"]++;
    if (passes === dropped.has(id) || (arrived.has(id) && !passes))
      wrong.push(`${probeText(probe)}: answered ${passes}, arrived ${arrived.has(id)}, dropped ${dropped.has(id)}`);
  }
  for (const profile of ["kubernetes", "calico"] as const) wrong.push(...judge(profile));
  // As it is read from a file: the IP version must survive that.
  const tuples = parseTuples([...formatTuples(TUPLES)].join("\n"), "probes.jsonl");
  const newly = new Set(new WhatIf({ tuples, profile: "kubernetes" }, []).diff(documents).newlyDenied);
  for (const [id, probe] of PROBES.entries())
    if (newly.has(id) !== dropped.has(id))
      wrong.push(`what-if: ${probeText(probe)} newly denied ${newly.has(id)}, dropped ${dropped.has(id)}`);
  return wrong;

  /** Where the engine's answer, by its tables and by `explain`, is not what became of the packet. */
  function judge(profile: Profile): string[] {
    const world = new WorldIndex(worldOfTuples(TUPLES));
    const questions = questionsOfTuples(TUPLES, world);
    const set = compilePolicies(documents, world, profile);
    const answers = answerColumns(questions.length);
    set.evaluate(questions, answers);
    return PROBES.flatMap((probe, id) => {
      if (probe.from === probe.to && profile !== "kubernetes") return []; // never leaves the pod; Calico judges it all the same
      const allowed = (answers.code[id]! & VERDICT_BITS.denied) === 0;
      const explained = set.explain({
        source: questions.source[id]!,
        destination: questions.destination[id]!,
        protocol: questions.protocol[id]!,
        port: probe.port,
      });
      if (allowed === answered.has(id) && (explained.verdict === "allow") === allowed) return [];
      const by = `egress ${decisionText(explained.egress.decidedBy)}; ingress ${decisionText(explained.ingress.decidedBy)}`;
      return [
        `${profile}: ${probeText(probe)} ${answered.has(id) ? "passed" : "was dropped"}, the engine's tables say ${allowed ? "allow" : "deny"}, explain ${explained.verdict} (${by})`,
      ];
    });
  }
}

/** The probes as recorded traffic: each once, among pods that have an address of either family. */
const TUPLES = tuplesOfProbes();
function tuplesOfProbes(): TupleSet {
  const end = (at: number, family: Family): TupleEnd =>
    ENDS[at]!.namespace === ""
      ? { kind: "address", address: ENDS[at]![family], name: undefined }
      : { kind: "identity", id: ENDS[at]!.name };
  return {
    from: 0,
    to: 1,
    produced: PROBES.length,
    lost: 0,
    identities: ENDS.filter((one) => one.namespace !== "").map((one) => ({
      id: one.name,
      namespace: one.namespace,
      workload: one.name,
      labels: new Map(Object.entries(one.labels)),
      addresses: [one.v4, one.v6],
      ports: one.ports,
      serviceAccount: "default",
      entity: undefined,
    })),
    namespaces: Object.entries(NAMESPACES).map(([name, labels]) => ({ name, labels: new Map(Object.entries(labels)) })),
    names: [],
    tuples: PROBES.map((probe) => ({
      source: end(probe.from, probe.family),
      destination: end(probe.to, probe.family),
      family: probe.family === "v4" ? 4 : 6,
      protocol: PROTOCOL_NUMBERS.get(probe.protocol)!,
      port: probe.port,
      connections: 1,
      firstSeen: 0,
      lastSeen: 0,
      recorded: undefined,
      l7: undefined,
      sample: undefined,
    })),
  };
}

/** Puts rules in force, sends every probe, and waits until each was answered or noted as dropped. Returns the dropped ones. */
async function tryAll(rules: string): Promise<Set<number>> {
  order({ type: "quiet" });
  await network.nft(["-f", "-"], rules);
  answered.clear();
  arrived.clear();
  order({ type: "ask", round: ++round });
  const deadline = Date.now() + ROUND_WITHIN_MS;
  for (;;) {
    const dropped = await droppedProbes();
    if (asked === round && PROBES.every((_, id) => answered.has(id) || dropped.has(id))) return dropped;
    if (Date.now() > deadline) {
      const open = PROBES.flatMap((probe, id) => (answered.has(id) || dropped.has(id) ? [] : [probeText(probe)]));
      throw new Error(`${open.length} probes neither came back nor were dropped:\n${open.slice(0, 20).join("\n")}`);
    }
    await delay(50);
  }
}

const KEYS = new Map(
  PROBES.map(({ from, to, port, protocol, family }, id) => [
    [ENDS[from]![family], ENDS[to]![family], protocol.toLowerCase(), port].join(" "),
    id,
  ]),
);

async function droppedProbes(): Promise<Set<number>> {
  const dropped = new Set<number>();
  for (const name of ["dropped4", "dropped6"]) {
    const listed = JSON.parse(await network.nft(["-j", "-n", "list", "set", "inet", "weir_policy", name])) as {
      nftables: { set?: { elem?: { concat: (string | number)[] }[] } }[];
    };
    for (const { set } of listed.nftables)
      for (const { concat } of set?.elem ?? []) {
        const key = concat.map((part) => (part === 6 ? "tcp" : part === 17 ? "udp" : part)).join(" ");
        const id = KEYS.get(key);
        if (id === undefined) throw new Error(`the router dropped what nobody sent: ${key}`);
        dropped.add(id);
      }
  }
  return dropped;
}

function order(what: ProberOrder): void {
  prober!.send(what);
}

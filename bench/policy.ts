/**
 * What a what-if costs: compile and a full diff over unique tuples, how it grows, and beside Go engines on the same world in the
 * same run: cyclonus' pkg/matcher, and Cilium's pkg/policy (compute every endpoint's map state, then look up). Times are the best of some runs in CPU milliseconds of one
 * process, so that a busy machine does not count; the Go engines run on one core and time themselves by the wall (best of three).
 *
 *   node bench/policy.ts            1,000 pods, 200 policies, 100,000 tuples, then ten times as many
 *   node bench/policy.ts --small    the first alone
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { parsePolicies } from "../policy/parse/policies.ts";
import { parseAnyYaml, parseYaml } from "../policy/parse/yaml.ts";
import { ruleUse } from "../policy/findings.ts";
import { TieredPolicySet } from "../policy/evaluate/tiered.ts";
import { answerColumns, type CompiledPolicySet } from "../policy/engine.ts";
import { compilePolicies } from "../policy/profiles.ts";
import { endpointOf, worldOfTuples } from "../policy/tuples.ts";
import { PROFILES, type Profile } from "../policy/world.ts";
import { WorldIndex } from "../policy/world-index.ts";
import { VERDICT_BITS } from "../policy/verdict.ts";
import { WhatIf } from "../policy/what-if.ts";
import { benchWorld, type BenchWorld } from "./policy/world.ts";

const RUNS = 7;
/** The goal for compile and full diff, on one core. */
const GOAL_MS = 100;

const line = (text: string) => process.stdout.write(`${text}\n`);

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Best CPU time of some runs, and the last result. */
function best<T>(runs: number, work: (run: number) => T): { ms: number; result: T } {
  let ms = Infinity;
  let result!: T;
  for (let run = 0; run < runs; run++) {
    const started = cpuMs();
    result = work(run);
    ms = Math.min(ms, cpuMs() - started);
  }
  return { ms, result };
}

interface Measured {
  readonly diffMs: number;
  readonly denied: number;
}

function measure(world: BenchWorld, runs: number, profile: Profile = "kubernetes"): Measured {
  const text = world.policies.join("---\n");
  const parsed = best(Math.min(3, runs), () => parsePolicies(text, "bench.yaml"));
  const { documents } = parsed.result;
  const setup = best(Math.min(3, runs), () => new WhatIf({ tuples: world.tuples, profile }, documents));
  const whatIf = setup.result;
  const diff = best(runs, (run) => whatIf.diff(documents.filter((_, i) => i !== run)));
  const again = best(runs, () => whatIf.today.evaluate(whatIf.questions, whatIf.todaysAnswers));
  const use = best(Math.min(3, runs), () => ruleUse(whatIf, whatIf.today, whatIf.todaysAnswers));
  const memory = whatIf.today instanceof TieredPolicySet ? whatIf.today.memory : { classes: 0, tables: 0, bytes: 0 };
  const denied = whatIf.todaysAnswers.code.reduce((sum, code) => sum + ((code & VERDICT_BITS.denied) === 0 ? 0 : 1), 0);
  const tuples = whatIf.questions.length;
  line(`${whatIf.tuples.identities.length} pods, ${documents.length} policies, ${tuples} tuples, profile ${profile}`);
  line(`  parse ${text.length} characters        ${parsed.ms.toFixed(1)} ms`);
  line(`  world, today's set, its verdicts   ${setup.ms.toFixed(1)} ms`);
  line(`  candidate: compile and full diff   ${diff.ms.toFixed(1)} ms`);
  line(
    `  verdicts again, tables filled      ${again.ms.toFixed(1)} ms, ${((again.ms * 1e6) / tuples).toFixed(0)} ns a tuple (two directions)`,
  );
  line(`  dead, redundant, shadowed, wide    ${use.ms.toFixed(1)} ms`);
  line(`  a set holds ${memory.classes} classes, ${memory.tables} port tables, ${(memory.bytes / 1e6).toFixed(1)} MB`);
  return { diffMs: diff.ms, denied };
}

/** An identity that comes later: taken in by a set that is compiled, beside compiling the set with it. */
function measureLate({ tuples, policies }: BenchWorld, profile: Profile): void {
  const { documents } = parsePolicies(policies.join("---\n"), "bench.yaml");
  const [known, late] = [tuples.identities.slice(0, -RUNS), tuples.identities.slice(-RUNS)];
  const whatIf = new WhatIf({ tuples: { ...tuples, identities: known, tuples: [] }, profile }, documents);
  const ask = (set: CompiledPolicySet, world: WorldIndex) => {
    const sides = Uint32Array.of(world.endpoints.length - 1);
    const columns = {
      source: sides,
      destination: Uint32Array.of(0),
      protocol: Uint8Array.of(6),
      port: Uint16Array.of(80),
    };
    set.evaluate({ length: 1, ...columns }, answerColumns(1));
  };
  ask(whatIf.today, whatIf.world);
  const one = best(RUNS, (run) => {
    whatIf.world.add(endpointOf(late[run]!));
    ask(whatIf.today, whatIf.world);
  });
  const all = best(3, () => {
    const world = new WorldIndex(worldOfTuples(tuples));
    ask(compilePolicies(documents, world, profile), world);
  });
  line(
    `  a new identity, profile ${profile}: ${one.ms.toFixed(2)} ms; world and set anew ${all.ms.toFixed(1)} ms: 1/${(all.ms / one.ms).toFixed(0)}`,
  );
}

interface PeerTimes {
  readonly compileMs: number;
  readonly judgeMs: number;
  readonly denied: number;
}

/** The best of three runs of a Go engine (a folder of bench/policy) on a world; undefined where it cannot be built. */
function peer(engine: "cyclonus" | "cilium", world: BenchWorld): PeerTimes | undefined {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-policy-"));
  try {
    const program = join(folder, engine);
    const cwd = join(import.meta.dirname, "policy", engine);
    try {
      execFileSync("go", ["build", "-o", program, "."], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      line(`${engine} was not built: ${error instanceof Error ? error.message.split("\n")[0] : "unknown"}`);
      return undefined;
    }
    const input = join(folder, "world.json");
    writeFileSync(input, worldJson(world));
    let best: PeerTimes | undefined;
    for (let run = 0; run < 3; run++) {
      const times = JSON.parse(execFileSync(program, [input], { encoding: "utf8" })) as PeerTimes;
      if (best === undefined || times.compileMs + times.judgeMs < best.compileMs + best.judgeMs) best = times;
    }
    return best;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function worldJson({ tuples, policies }: BenchWorld): string {
  const number = new Map(tuples.identities.map((identity, i) => [identity.id, i]));
  const side = (end: (typeof tuples.tuples)[number]["source"]) => (end.kind === "identity" ? number.get(end.id)! : -1);
  return JSON.stringify({
    policies: policies.map((text) => parse(text) as unknown),
    namespaces: Object.fromEntries(tuples.namespaces.map(({ name, labels }) => [name, Object.fromEntries(labels)])),
    pods: tuples.identities.map((it) => ({
      namespace: it.namespace,
      labels: Object.fromEntries(it.labels),
      ip: it.addresses[0],
      ports: Object.fromEntries(it.ports.map(({ name, port }) => [name, port])),
    })),
    tuples: tuples.tuples.map((it) => ({
      src: side(it.source),
      dst: side(it.destination),
      dstIP: it.destination.kind === "address" ? it.destination.address : "",
      protocol: it.protocol === 17 ? "UDP" : "TCP",
      port: it.port,
    })),
  });
}

/** Prints the ratio, and whether both deny the same number. */
function beside(engine: "cyclonus" | "cilium", ours: Measured, theirs: PeerTimes | undefined): void {
  if (theirs === undefined) return;
  const total = theirs.compileMs + theirs.judgeMs;
  line(
    `${engine} on the same world: compile ${theirs.compileMs.toFixed(1)} ms, verdicts ${theirs.judgeMs.toFixed(1)} ms`,
  );
  line(`  ratio: weir's compile and full diff takes 1/${(total / ours.diffMs).toFixed(1)} of that`);
  line(
    `  denied tuples: weir ${ours.denied}, ${engine} ${theirs.denied}${ours.denied === theirs.denied ? "" : " – THEY DIFFER"}`,
  );
  if (ours.denied !== theirs.denied) process.exitCode = 1;
}

/** A policy of 100,000 rules: the plain reading of YAML beside the library's. */
function measureParsing(): void {
  const rules = Array.from({ length: 100_000 }, (_, i) => `  - ports: [{port: ${1 + (i % 60_000)}}]\n`).join("");
  const text = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: big, namespace: a}\nspec:\n  podSelector: {}\n  ingress:\n${rules}`;
  const all = best(3, () => parsePolicies(text, "big.yaml"));
  const plain = best(3, () => parseYaml(text, "big.yaml"));
  const library = best(2, () => parseAnyYaml(text, "big.yaml"));
  line(`100,000 rules, ${(text.length / 1e6).toFixed(1)} MB: parsed in ${all.ms.toFixed(0)} ms`);
  line(
    `  its YAML ${plain.ms.toFixed(0)} ms, by the library ${library.ms.toFixed(0)} ms: 1/${(library.ms / plain.ms).toFixed(1)}`,
  );
}

line(`${cpus()[0]?.model ?? "unknown"} × ${cpus().length}, Node ${process.version}`);
measureParsing();
const world = benchWorld(1000, 200, 100_000);
const ours = measure(world, RUNS);
line(`  goal ${GOAL_MS} ms: ${ours.diffMs <= GOAL_MS ? "met" : "missed"}`);
beside("cyclonus", ours, peer("cyclonus", world));
for (const profile of PROFILES) measureLate(world, profile);
const asCilium = measure(world, RUNS, "cilium");
beside("cilium", asCilium, peer("cilium", world));
if (!process.argv.includes("--small")) {
  const grown = measure(benchWorld(10_000, 2000, 100_000, 2), 3);
  line(`  10 × pods and policies: ${(grown.diffMs / ours.diffMs).toFixed(1)} × the time of the diff`);
  for (const profile of PROFILES) measureLate(benchWorld(10_000, 2000, 1000, 2), profile);
  const more = measure(benchWorld(10_000, 2000, 1_000_000, 2), 2);
  line(`  and 10 × tuples: ${(more.diffMs / ours.diffMs).toFixed(1)} ×`);
}

import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCase } from "./case.ts";
import { runCase } from "./run-case.ts";

const CASES = join(import.meta.dirname, "../../../shared/cases/policy");

describe("verdicts equal to the reference engines", () => {
  for (const [file, flows] of [
    ["netpol-v1.jsonl", 9600],
    ["anp.jsonl", 4800],
    ["cluster-network-policy.jsonl", 4800],
    ["cilium.jsonl", 9600],
    ["calico.jsonl", 7257],
  ] as const)
    test(`every flow of ${file}`, async () => {
      const path = join(CASES, file);
      if (!existsSync(path))
        throw new Error(`${path} is missing: put the shared cases beside the repository (../shared/cases/policy)`);
      let seen = 0;
      const wrong: string[] = [];
      for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
        const it = parseCase(line, file);
        const result = runCase(it, `${it.id}.yaml`);
        seen += result.flows;
        wrong.push(...result.refused.map((problem) => `${it.id}: ${problem}`));
        for (const { flow, expected, got, by } of result.mismatches)
          wrong.push(`${it.id}: ${flow}: expected ${expected}, got ${got} (${by})`);
      }
      expect(wrong.slice(0, 20)).toEqual([]);
      expect(seen).toBeGreaterThanOrEqual(flows);
    });
});

test("a line that is no case is refused with its place", () => {
  expect(() => parseCase("{", "x.jsonl:7")).toThrow(/x\.jsonl:7.*no JSON/);
  expect(() => parseCase("{}", "x.jsonl:8")).toThrow(/no pods or no flows/);
});

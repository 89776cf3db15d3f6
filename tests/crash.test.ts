/** The crash test's smaller form: `node tests/crash.ts --kills 200` is the whole one. Needs root. */
import { expect, test } from "vitest";
import { crash } from "./crash/run.ts";

const SEED = Number(process.env["WEIR_SEED"] ?? Date.now() % 1_000_000);

test(`collector and store killed with -9 under load, singly and together (WEIR_SEED=${SEED}): nothing durable is lost, nothing doubled, the rest is counted`, async () => {
  const said: string[] = [];
  const result = await crash({ kills: 6, seed: SEED, rate: 300, app: false, say: (sentence) => said.push(sentence) });
  expect(result).toMatchObject({ kills: 6, together: 1, lost: 0, doubled: 0, uncounted: 0, findings: [] });
  expect(result.rows).toBeGreaterThan(300);
}, 240_000);

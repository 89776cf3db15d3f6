import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { systemCode } from "../model/errors.ts";
import { CaseRefused, parseCase } from "../policy/verify/case.ts";
import { runCase } from "../policy/verify/run-case.ts";
import type { Profile } from "../policy/world.ts";

export interface PolicyVerifyOptions {
  readonly files: readonly string[];
  /** Overrides the profile that the cases name. */
  readonly profile?: Profile;
  /** Mismatches printed at most. Default 100. */
  readonly limit?: number;
}

/**
 * `weir policy verify FILE…`: judges every flow of the case files and prints each mismatch with its deciding line. Ends with
 * `N flows, M mismatches`. Returns 0 at no mismatch, 1 otherwise, 2 when a file cannot be read.
 */
export async function policyVerify(options: PolicyVerifyOptions, write: (line: string) => void): Promise<number> {
  const limit = options.limit ?? 100;
  let flows = 0;
  let mismatches = 0;
  for (const file of options.files) {
    let number = 0;
    try {
      for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        number++;
        if (line.trim() === "") continue;
        const it = parseCase(line, `${file}:${number}`);
        const result = runCase(it, `${it.id}.yaml`, options.profile ?? it.profile);
        flows += result.flows;
        for (const problem of result.refused) if (mismatches < limit) write(`${it.id}: refused: ${problem}`);
        for (const mismatch of result.mismatches) {
          if (mismatches++ >= limit) continue;
          write(`${it.id}: ${mismatch.flow}`);
          write(`  expected ${mismatch.expected} (${mismatch.expectedBy})`);
          write(`  got      ${mismatch.got} (${mismatch.by})`);
        }
      }
    } catch (thrown) {
      if (thrown instanceof CaseRefused) write(thrown.message);
      else if (systemCode(thrown) !== undefined) write(`${file}: cannot be read (${systemCode(thrown)})`);
      else throw thrown;
      return 2;
    }
  }
  if (mismatches > limit) write(`… and ${mismatches - limit} more mismatches`);
  write(`${flows} flows, ${mismatches} mismatches`);
  return mismatches === 0 ? 0 : 1;
}

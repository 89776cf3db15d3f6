import { formatProblem } from "../policy/parse/problem.ts";
import { printable, readPolicies, type Write } from "./policy-input.ts";

export interface PolicyCheckOptions {
  readonly files: readonly string[];
  readonly format?: "text" | "json";
}

/** `weir policy check FILE…`: parses and prints diagnostics as `file:line:column`. Returns 1 when a document is refused, else 0. */
export async function policyCheck(options: PolicyCheckOptions, write: Write): Promise<number> {
  const { documents, problems, files } = await readPolicies(options.files);
  const errors = problems.filter((problem) => problem.severity === "error").length;
  if (options.format === "json") write(JSON.stringify({ files, documents: documents.length, problems }));
  else {
    for (const problem of problems) write(printable(formatProblem(problem)));
    write(
      `${files.length} files, ${documents.length} policies, ${errors} errors, ${problems.length - errors} warnings`,
    );
  }
  return errors > 0 ? 1 : 0;
}

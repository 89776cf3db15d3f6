import { generatePolicies } from "../policy/generate/generate.ts";
import { standInNote } from "../policy/stand-ins.ts";
import { GENERATED_KINDS, type GeneratedKind } from "../policy/generate/write.ts";
import { endText, portText } from "../policy/tuples.ts";
import type { Direction } from "../policy/verdict.ts";
import { InputRefused, printable, readTuples, type TupleSource, type Write } from "./policy-input.ts";

export interface PolicyGenerateOptions {
  readonly tuples: TupleSource;
  /** A kind of GENERATED_KINDS. */
  readonly kind: string;
  readonly namespace?: string;
  /** Workloads by name; all of the namespace when absent. */
  readonly workloads?: readonly string[];
  /** Tuples with fewer connections don't count. Default 1. */
  readonly minConnections?: number;
  readonly directions?: readonly Direction[];
  /** Say on what each rule rests, as comments. Default true. */
  readonly reasons?: boolean;
}

/** `weir policy generate --namespace shop --kind CiliumNetworkPolicy`: YAML on the output. 0, or 1 when nothing was there to allow. */
export async function policyGenerate(options: PolicyGenerateOptions, write: Write): Promise<number> {
  const kind = (Object.keys(GENERATED_KINDS) as GeneratedKind[]).find((known) => known === options.kind);
  if (kind === undefined)
    throw new InputRefused({
      code: "kind-unknown",
      what: `kind ${JSON.stringify(options.kind)} cannot be generated`,
      expected: Object.keys(GENERATED_KINDS).join(", "),
    });
  const tuples = await readTuples(options.tuples);
  const least = options.minConnections ?? 1;
  const generated = generatePolicies(tuples, {
    kind,
    subjects: (identity) =>
      (options.namespace === undefined || identity.namespace === options.namespace) &&
      (options.workloads === undefined || options.workloads.includes(identity.workload)),
    rows: (tuple) => tuple.connections >= least && tuple.recorded !== "denied",
    ...(options.directions === undefined ? {} : { directions: options.directions }),
  });
  const identities = new Map(tuples.identities.map((identity) => [identity.id, identity]));
  const standIns = standInNote(generated.policies.map((policy) => policy.yaml).join("\n"));
  for (const note of [...generated.notes, ...(standIns === undefined ? [] : [standIns])]) write(`# ${printable(note)}`);
  for (const [at, policy] of generated.policies.entries()) {
    if (at > 0) write("---");
    if (options.reasons !== false)
      for (const direction of ["ingress", "egress"] as const)
        for (const [index, rule] of policy[direction].entries()) {
          const rows = rule.rows.map((row) => tuples.tuples[row]!).sort((a, b) => b.connections - a.connections);
          const total = rows.reduce((sum, row) => sum + row.connections, 0);
          const told = rows.map(
            (row) =>
              `${endText(row.source, identities)} → ${endText(row.destination, identities)} ${portText(row.protocol, row.port)}`,
          );
          const all = [...new Set(told)];
          const examples = all.slice(0, 3);
          const why = rule.forNames
            ? "look-ups that names need"
            : `${total} connections: ${examples.join("; ")}${all.length > 3 ? "; …" : ""}`;
          write(`# ${direction}[${index}]: ${printable(why)}`);
        }
    for (const line of policy.yaml.trimEnd().split("\n")) write(line);
  }
  return generated.policies.length === 0 ? 1 : 0;
}

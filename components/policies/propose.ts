import { generatePolicies } from "../../policy/generate/generate.ts";
import { standInNote } from "../../policy/stand-ins.ts";
import { tellingLabels } from "../../policy/generate/selectors.ts";
import type { GeneratedKind } from "../../policy/generate/write.ts";
import { NO_RULE } from "../../policy/engine.ts";
import { portText, protocolName, type TupleEnd, type TupleIdentity, type TupleSet } from "../../policy/tuples.ts";
import { VERDICT_BITS, type Direction, type PolicyRef } from "../../policy/verdict.ts";
import type { Profile } from "../../policy/world.ts";
import type { EditAnswer, EditRequest, FlowEnd, PolicyText } from "./answers.ts";
import type { Judge } from "./judge.ts";
import { withItem, withoutItem, type Item } from "./text-edits.ts";

export const KIND_OF_PROFILE: Readonly<Record<Profile, GeneratedKind>> = {
  kubernetes: "NetworkPolicy",
  cilium: "CiliumNetworkPolicy",
  calico: "CalicoNetworkPolicy",
};

/**
 * The smallest edit that lets an edge through, stops it, or lets in nothing else: a rule in the policy that decides it, else a file
 * of its own. `before` equals `after` where nothing is to be done. Call after `judge` of the same files.
 */
export function proposeEdit(judge: Judge, files: readonly PolicyText[], request: EditRequest): EditAnswer | undefined {
  const { last, traffic } = judge;
  if (last === undefined) return undefined;
  const rows = rowsOf(judge, request);
  const what = `${endName(request.source)} → ${endName(request.destination)}${request.port === "" ? "" : ` on ${request.port}`}`;
  if (rows.length === 0)
    return { file: "", before: "", after: "", why: `No traffic from ${what} was seen in this range.` };
  const context: Context = {
    judge,
    files,
    rows: new Set(rows),
    set: traffic.set,
    what,
    kind: KIND_OF_PROFILE[last.whatIf.profile],
    ...request,
  };
  if (request.action === "allow") return allowThis(context);
  return request.action === "deny" ? denyThis(context) : onlyThis(context);
}

interface Context extends EditRequest {
  readonly judge: Judge;
  readonly files: readonly PolicyText[];
  readonly rows: ReadonlySet<number>;
  readonly set: TupleSet;
  readonly what: string;
  readonly kind: GeneratedKind;
}

function rowsOf({ traffic }: Judge, { source, destination, port }: EditRequest): number[] {
  const from = traffic.nodes.findIndex((node) => node.namespace === source.namespace && node.name === source.workload);
  const to = traffic.nodes.findIndex(
    (node) => node.namespace === destination.namespace && node.name === destination.workload,
  );
  const rows: number[] = [];
  for (const [row, tuple] of traffic.set.tuples.entries())
    if (
      traffic.source[row] === from &&
      traffic.destination[row] === to &&
      (port === "" || portText(tuple.protocol, tuple.port) === port)
    )
      rows.push(row);
  return rows;
}

function allowThis(context: Context): EditAnswer | undefined {
  const { judge, files, rows, what } = context;
  const { diff, whatIf } = judge.last!;
  const denies = (bit: number) => [...rows].some((row) => (diff.answers.code[row]! & bit) !== 0);
  const direction: Direction | undefined = denies(VERDICT_BITS.ingressDenied)
    ? "ingress"
    : denies(VERDICT_BITS.egressDenied)
      ? "egress"
      : undefined;
  if (direction === undefined) {
    const dropped = [...rows].every((row) => context.set.tuples[row]!.recorded === "denied");
    const why = dropped
      ? `${what} was dropped, but no policy here denies it: a firewall rule did, or a policy that is not among these files.`
      : `${what} is allowed already: no policy here denies it. "Only this" closes the destination to all else.`;
    return { file: "", before: "", after: "", why };
  }
  const row = [...rows].find(
    (it) =>
      (diff.answers.code[it]! & (direction === "ingress" ? VERDICT_BITS.ingressDenied : VERDICT_BITS.egressDenied)) !==
      0,
  )!;
  const denyRule = (direction === "ingress" ? diff.answers.ingressRule : diff.answers.egressRule)[row]!;
  const side = (direction === "ingress" ? whatIf.questions.destination : whatIf.questions.source)[row]!;
  const policy = diff.candidate.policies[diff.candidate.selecting(side, direction)[0] ?? -1];
  const file = files.find((it) => it.name === policy?.file);
  const item = policy === undefined ? undefined : ruleItem(context, policy, direction);
  const after =
    file === undefined || policy === undefined || item === undefined
      ? undefined
      : withItem(file.text, policy.line, direction, item);
  const caution =
    denyRule === NO_RULE
      ? ""
      : ` A rule denies it (line ${diff.candidate.rules[denyRule]!.line}); an allow beside it may not be enough.`;
  if (after !== undefined)
    return {
      file: file!.name,
      before: file!.text,
      after,
      why: `One ${direction} rule more in ${policy!.name}, which denies ${what} now.${caution}`,
    };
  return newFile(
    context,
    [direction],
    (it) => rows.has(it),
    `A policy of its own: what denies ${what} now can't be added to in place.${caution}`,
  );
}

function denyThis(context: Context): EditAnswer | undefined {
  const { judge, files, rows, what, set } = context;
  const { diff } = judge.last!;
  const { code, ingressRule } = diff.answers;
  if ([...rows].every((row) => (code[row]! & VERDICT_BITS.denied) !== 0))
    return { file: "", before: "", after: "", why: `${what} is denied already.` };
  const deciding = new Set([...rows].map((row) => ingressRule[row]!).filter((rule) => rule !== NO_RULE));
  const [only] = deciding;
  if (deciding.size === 1 && set.tuples.every((_, row) => ingressRule[row] !== only || rows.has(row))) {
    const rule = diff.candidate.rules[only!]!;
    const file = files.find((it) => it.name === rule.file);
    const after = file === undefined ? undefined : withoutItem(file.text, rule.line);
    if (after !== undefined)
      return {
        file: file!.name,
        before: file!.text,
        after,
        why: `Without the rule on line ${rule.line}: it lets in ${what} and nothing else that was seen.`,
      };
  }
  if (deciding.size > 0) {
    const rule = diff.candidate.rules[only!]!;
    return {
      file: "",
      before: "",
      after: "",
      why: `${rule.file} line ${rule.line} lets in ${what} together with other traffic: narrow that rule by hand, a second policy can't take away what it allows.`,
    };
  }
  return newFile(
    context,
    ["ingress"],
    (row) => !rows.has(row),
    `${endName(context.destination)} is open to all now. This keeps what else was seen to reach it, and leaves out ${what}.`,
  );
}

function onlyThis(context: Context): EditAnswer | undefined {
  return newFile(
    context,
    ["ingress"],
    (row) => context.rows.has(row),
    `${endName(context.destination)} then takes in ${context.what} and nothing else.`,
  );
}

function newFile(
  context: Context,
  directions: readonly Direction[],
  counts: (row: number) => boolean,
  why: string,
): EditAnswer | undefined {
  const { set, kind, source, destination, judge } = context;
  const subject = directions[0] === "egress" ? source : destination;
  const generated = generatePolicies(set, {
    kind,
    subjects: (identity) => identity.namespace === subject.namespace && identity.workload === subject.workload,
    rows: (tuple, row) => counts(row) && (tuple.recorded !== "denied" || context.rows.has(row)),
    directions,
  });
  if (generated.policies.length === 0)
    return {
      file: "",
      before: "",
      after: "",
      why: `${endName(subject)} is not a workload of ours: a policy can't select it.`,
    };
  const taken = new Set(context.files.map((file) => file.name));
  const base = `${subject.workload}-${directions[0]}`;
  let name = `${base}.yaml`;
  for (let i = 2; taken.has(name); i++) name = `${base}-${i}.yaml`;
  const clash = new Set(judge.last!.diff.candidate.policies.map((policy) => `${policy.namespace}/${policy.name}`));
  const after = generated.policies.reduce(
    (text, policy) =>
      clash.has(`${policy.namespace}/${policy.name}`)
        ? text.replace(`name: ${policy.name}\n`, `name: ${name.slice(0, -5)}\n`)
        : text,
    generated.yaml,
  );
  const note = standInNote(after);
  return { file: name, before: "", after, why: note === undefined ? why : `${why} ${note}` };
}

/** The rule that takes in the rows' far ends on their ports, as lines; undefined for kinds that are not written here. */
export function ruleItem(
  { rows, set, kind }: Pick<Context, "rows" | "set" | "kind">,
  policy: PolicyRef,
  direction: Direction,
): Item | undefined {
  const identities = new Map(set.identities.map((identity) => [identity.id, identity]));
  const peers = new Map<string, TupleEnd>();
  const ports = new Map<string, { protocol: string; port: number }>();
  for (const row of rows) {
    const tuple = set.tuples[row]!;
    const far = direction === "ingress" ? tuple.source : tuple.destination;
    peers.set(JSON.stringify(far), far);
    if (tuple.protocol !== 6 && tuple.protocol !== 17 && tuple.protocol !== 132) return undefined;
    ports.set(portText(tuple.protocol, tuple.port), { protocol: protocolName(tuple.protocol), port: tuple.port });
  }
  const far = [...peers.values()].map((end) => (end.kind === "identity" ? identities.get(end.id) : end));
  if (policy.kind === "NetworkPolicy" && kind === "NetworkPolicy") {
    const items = unique(far.map((end) => kubernetesPeer(end, set, policy.namespace)));
    if (items.some((item) => item.length === 0)) return undefined;
    return [
      `- ${direction === "ingress" ? "from" : "to"}:`,
      ...items.flatMap((item) => item.map((line) => `    ${line}`)),
      "  ports:",
      ...[...ports.values()].flatMap(({ protocol, port }) => [`    - protocol: ${protocol}`, `      port: ${port}`]),
    ];
  }
  if (policy.kind === "CiliumNetworkPolicy") {
    const items = unique(far.map((end) => ciliumPeer(end, set)));
    if (items.some((item) => item.length === 0)) return undefined;
    return [
      `- ${direction === "ingress" ? "fromEndpoints" : "toEndpoints"}:`,
      ...items.flatMap((item) => item.map((line) => `    ${line}`)),
      "  toPorts:",
      "    - ports:",
      ...[...ports.values()].flatMap(({ protocol, port }) => [
        `        - port: "${port}"`,
        `          protocol: ${protocol}`,
      ]),
    ];
  }
  return undefined;
}

function unique(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.join("\n"), item])).values()];
}

type Far = TupleIdentity | { readonly kind: "address"; readonly address: string } | undefined;

function kubernetesPeer(end: Far, set: TupleSet, ownNamespace: string): Item {
  if (end === undefined) return [];
  if ("kind" in end) return ["- ipBlock:", `    cidr: ${end.address}/${end.address.includes(":") ? 128 : 32}`];
  if (end.entity !== undefined) return [];
  const labels = labelLines(end, set);
  const pods =
    labels.length === 0
      ? ["podSelector: {}"]
      : ["podSelector:", "  matchLabels:", ...labels.map((line) => `    ${line}`)];
  const space =
    end.namespace === ownNamespace
      ? []
      : ["namespaceSelector:", "  matchLabels:", `    kubernetes.io/metadata.name: ${end.namespace}`];
  return [...space, ...pods].map((line, at) => (at === 0 ? `- ${line}` : `  ${line}`));
}

function ciliumPeer(end: Far, set: TupleSet): Item {
  if (end === undefined || "kind" in end || end.entity !== undefined) return [];
  return [
    "- matchLabels:",
    `    k8s:io.kubernetes.pod.namespace: ${end.namespace}`,
    ...labelLines(end, set).map((line) => `    ${line}`),
  ];
}

function labelLines(identity: TupleIdentity, set: TupleSet): string[] {
  return [...tellingLabels(identity, set.identities)].flatMap(([key, value]) =>
    value === undefined
      ? []
      : [
          `${key}: ${/^[A-Za-z][\w.-]*$/.test(value) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(value) ? value : JSON.stringify(value)}`,
        ],
  );
}

function endName({ namespace, workload }: FlowEnd): string {
  return namespace === "" ? workload : `${namespace}/${workload}`;
}

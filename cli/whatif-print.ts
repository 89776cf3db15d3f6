import { contradictions, type Contradiction } from "../policy/contradictions.ts";
import { ruleUse, type RuleUse } from "../policy/findings.ts";
import { decisionText } from "../policy/explain/tiered.ts";
import type { Position } from "../policy/parse/problem.ts";
import { endText, tuplePortText, type Basis } from "../policy/tuples.ts";
import { ruleLabel, type RuleRef } from "../policy/verdict.ts";
import { decidingRules, type WhatIf, type WhatIfDiff } from "../policy/what-if.ts";
import { printable, table } from "./policy-input.ts";

/** A changed tuple as printers show it. */
export interface ChangedFlow {
  readonly change: "newly-denied" | "newly-allowed";
  readonly source: string;
  readonly destination: string;
  readonly port: string;
  readonly connections: number;
  readonly lastSeen: string;
  /** In words, with its line. */
  readonly by: string;
  readonly rule: RuleRef | undefined;
  /** Where to look: the rule, or the policy whose default denies. */
  readonly at: Position | undefined;
  readonly sample: string | undefined;
}

/** What printers print. */
export interface WhatIfReport {
  readonly basis: Basis;
  readonly counts: WhatIfDiff["counts"];
  readonly denied: readonly ChangedFlow[];
  readonly allowed: readonly ChangedFlow[];
  readonly disagreements: number;
  /** Allowed on condition: a proxy judges requests that were not recorded. */
  readonly needsL7: number;
  readonly idle: readonly RuleUse[];
  /** Rules of the candidate that say opposite things of the same traffic. */
  readonly opposed: readonly Contradiction[];
  readonly notes: readonly string[];
}

/** One row for both IP versions of a flow that are judged alike; the sample is the first one's. */
function withoutFamilies(flows: readonly ChangedFlow[]): ChangedFlow[] {
  const bare = (port: string) => port.replace(/ over IPv[46]$/, "");
  const key = (it: ChangedFlow) => JSON.stringify([it.source, it.destination, bare(it.port), it.by]);
  return [...Map.groupBy(flows, key).values()].map((alike) => {
    const [first] = alike;
    if (alike.length === 1) return first!;
    return {
      ...first!,
      port: bare(first!.port),
      connections: alike.reduce((sum, it) => sum + it.connections, 0),
      lastSeen: alike.reduce((last, it) => (it.lastSeen > last ? it.lastSeen : last), ""),
    };
  });
}

export function reportOf(whatIf: WhatIf, diff: WhatIfDiff): WhatIfReport {
  const identities = new Map(whatIf.tuples.identities.map((identity) => [identity.id, identity]));
  const flow = (row: number, change: ChangedFlow["change"]): ChangedFlow => {
    const tuple = whatIf.tuples.tuples[row]!;
    const verdict = whatIf.explain(diff.candidate, row);
    const deciding =
      change === "newly-denied"
        ? verdict.egress.verdict === "deny"
          ? verdict.egress
          : verdict.ingress
        : verdict.ingress;
    const rules = decidingRules(diff, row);
    const rule =
      deciding.decidedBy.kind === "rules"
        ? deciding.decidedBy.rules[0]
        : rules.length > 0 && change === "newly-allowed"
          ? diff.candidate.rules[rules[rules.length - 1]!]
          : undefined;
    const isolating = deciding.decidedBy.kind === "default-deny" ? deciding.decidedBy.policies[0] : undefined;
    const at = rule ?? isolating;
    return {
      change,
      source: endText(tuple.source, identities),
      destination: endText(tuple.destination, identities),
      port: tuplePortText(tuple),
      connections: tuple.connections,
      lastSeen: new Date(tuple.lastSeen).toISOString(),
      by: `${decisionText(deciding.decidedBy)}${isolating === undefined ? "" : ` (${isolating.file}:${isolating.line}:${isolating.column})`}`,
      rule,
      at: at && { file: at.file, line: at.line, column: at.column },
      sample: tuple.sample,
    };
  };
  return {
    basis: diff.basis,
    counts: diff.counts,
    denied: withoutFamilies(diff.newlyDenied.map((row) => flow(row, "newly-denied"))),
    allowed: withoutFamilies(diff.newlyAllowed.map((row) => flow(row, "newly-allowed"))),
    disagreements: diff.disagreements.length,
    needsL7: diff.needsL7.length,
    idle: ruleUse(whatIf, diff.candidate, diff.answers).filter((use) => use.state !== "used"),
    opposed: contradictions(diff.candidate).found,
    notes: diff.problems.map((problem) => `${problem.file}:${problem.line}: ${problem.message}`),
  };
}

/** What an answer rests on, in one line. */
export function basisText(basis: Basis): string {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
  const lost = basis.lostShare === undefined ? "loss not known" : `${percent(basis.lostShare)} of events lost`;
  const shared =
    basis.sharedOutShare === 0
      ? ""
      : ` ${percent(basis.sharedOutShare)} went to an outside name in hours that kept no addresses: they are shared out over those that were looked up.`;
  return `Rests on ${day(basis.from)} – ${day(basis.to)} UTC: ${basis.tuples} tuples, ${basis.connections} connections, ${percent(basis.unknownShare)} with an unknown end, ${lost}.${shared}`;
}

/** A contradiction as a row: the two places, and why. */
export function contradictionCells({ rule, by, text }: Contradiction): string[] {
  return [`${rule.file}:${rule.line}`, `${by.file}:${by.line}`, text];
}

function headline(report: WhatIfReport): string {
  const { counts } = report;
  const part = (name: keyof WhatIfReport["counts"], words: string) =>
    `${counts[name].connections} connection${counts[name].connections === 1 ? "" : "s"} (${counts[name].tuples} tuple${counts[name].tuples === 1 ? "" : "s"}) ${words}`;
  return `${part("newly-denied", "newly denied")}, ${part("newly-allowed", "newly allowed")}, ${part("still-allowed", "still allowed")}, ${part("still-denied", "still denied")}.`;
}

export function printTable(report: WhatIfReport): string[] {
  const rows = (flows: readonly ChangedFlow[]) =>
    flows.map((it) => [it.source, it.destination, it.port, String(it.connections), it.lastSeen, it.by]);
  const head = ["FROM", "TO", "PORT", "CONNECTIONS", "LAST SEEN", "BY"];
  return [
    headline(report),
    basisText(report.basis),
    ...(report.denied.length === 0 ? [] : ["", "Newly denied", ...table(head, rows(report.denied))]),
    ...(report.allowed.length === 0 ? [] : ["", "Newly allowed", ...table(head, rows(report.allowed))]),
    ...(report.idle.length === 0
      ? []
      : [
          "",
          "Rules that change nothing",
          ...table(
            ["RULE", "STATE", "WHERE"],
            report.idle.map((use) => [ruleLabel(use.rule), use.state, `${use.rule.file}:${use.rule.line}`]),
          ),
        ]),
    ...(report.opposed.length === 0
      ? []
      : [
          "",
          "Rules that contradict each other",
          ...table(["WHERE", "AGAINST", "WHY"], report.opposed.map(contradictionCells)),
        ]),
    ...(report.disagreements === 0
      ? []
      : [
          "",
          `${report.disagreements === 1 ? "1 tuple was" : `${report.disagreements} tuples were`} recorded otherwise than today's policies say: the policies may be newer than the traffic, or not all of them are here.`,
        ]),
    ...(report.needsL7 === 0
      ? []
      : [
          "",
          `${report.needsL7 === 1 ? "1 tuple needs" : `${report.needsL7} tuples need`} layer 7: a proxy would judge the requests, which were not recorded; they count as allowed.`,
        ]),
    ...report.notes.map((note) => `Note: ${printable(note)}`),
  ];
}

export function printJson(report: WhatIfReport): string[] {
  const { idle, opposed, ...rest } = report;
  const rules = idle.map((use) => ({
    rule: ruleLabel(use.rule),
    state: use.state,
    file: use.rule.file,
    line: use.rule.line,
    column: use.rule.column,
  }));
  const place = (rule: RuleRef) => ({
    rule: ruleLabel(rule),
    file: rule.file,
    line: rule.line,
    column: rule.column,
  });
  const contradicting = opposed.map(({ why, rule, by, text }) => ({ why, ...place(rule), by: place(by), text }));
  return [JSON.stringify({ ...rest, rules, contradictions: contradicting }, null, 2)];
}

/** For a pull request's comment. */
export function printMarkdown(report: WhatIfReport): string[] {
  const cell = (text: string) =>
    printable(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("`", "\\`");
  const flows = (title: string, list: readonly ChangedFlow[]) =>
    list.length === 0
      ? []
      : [
          "",
          `### ${title}`,
          "",
          "| From | To | Port | Connections | Last seen | By |",
          "|---|---|---|--:|---|---|",
          ...list
            .slice(0, 50)
            .map(
              (it) =>
                `| ${[it.source, it.destination, it.port, String(it.connections), it.lastSeen, it.by].map(cell).join(" | ")} |`,
            ),
          ...(list.length > 50 ? ["", `… and ${list.length - 50} more.`] : []),
        ];
  return [
    "## What these policies would change",
    "",
    headline(report),
    "",
    basisText(report.basis),
    ...flows("Newly denied", report.denied),
    ...flows("Newly allowed", report.allowed),
    ...(report.idle.length === 0
      ? []
      : [
          "",
          "### Rules that change nothing",
          "",
          ...report.idle
            .slice(0, 50)
            .map((use) => `- ${cell(ruleLabel(use.rule))}: ${use.state} (${cell(use.rule.file)}:${use.rule.line})`),
        ]),
    ...(report.opposed.length === 0
      ? []
      : [
          "",
          "### Rules that contradict each other",
          "",
          ...report.opposed
            .slice(0, 50)
            .map(
              ({ rule, by, text }) => `- ${cell(text)} (${cell(rule.file)}:${rule.line}, ${cell(by.file)}:${by.line})`,
            ),
        ]),
  ];
}

/** SARIF 2.1.0: what code scanning shows beside the lines of a pull request. */
export function printSarif(report: WhatIfReport, version: string): string[] {
  const place = (rule: Position | undefined) =>
    rule === undefined
      ? {}
      : {
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: rule.file },
                region: { startLine: rule.line, startColumn: rule.column },
              },
            },
          ],
        };
  const flow = (it: ChangedFlow) => ({
    ruleId: it.change,
    level: it.change === "newly-denied" ? "error" : "note",
    message: {
      text: `${it.source} → ${it.destination} ${it.port} (${it.connections} connections, last seen ${it.lastSeen}) would be ${it.change === "newly-denied" ? "denied" : "allowed"}: ${it.by}`,
    },
    ...place(it.at),
  });
  const idle = (use: RuleUse) => ({
    ruleId: `rule-${use.state}`,
    level: "warning",
    message: { text: `${ruleLabel(use.rule)} is ${use.state}: without it nothing of the traffic would change` },
    ...place(use.rule),
  });
  const opposed = ({ rule, by, text }: Contradiction) => ({
    ruleId: "rule-contradicts",
    level: "warning",
    message: { text },
    ...place(rule),
    relatedLocations: place(by).locations?.map((location) => ({
      ...location,
      message: { text: `contradicted by ${ruleLabel(by)}` },
    })),
  });
  const rules = [
    ["newly-denied", "Traffic that happened would be denied"],
    ["newly-allowed", "Traffic that was denied would be allowed"],
    ["rule-dead", "A rule that no recorded traffic matches"],
    ["rule-redundant", "A rule whose traffic others allow too"],
    ["rule-shadowed", "A rule that others always come before"],
    ["rule-contradicts", "Two rules that say opposite things of the same traffic"],
  ].map(([id, text]) => ({ id, shortDescription: { text } }));
  const run = {
    tool: { driver: { name: "weir", version, rules } },
    results: [
      ...report.denied.map(flow),
      ...report.allowed.map(flow),
      ...report.idle.map(idle),
      ...report.opposed.map(opposed),
    ],
  };
  return [
    JSON.stringify(
      { version: "2.1.0", $schema: "https://json.schemastore.org/sarif-2.1.0.json", runs: [run] },
      null,
      2,
    ),
  ];
}

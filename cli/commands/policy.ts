import type { Command } from "commander";
import { WeirError } from "../../model/errors.ts";
import type { TupleSource } from "../policy-input.ts";
import { rangeOf, tuplesFromStore } from "../tuples-from-store.ts";
import { untilSignal } from "../until-signal.ts";
import { choice, choices, number, warnLine, writeLine } from "./choice.ts";

const PROFILES = ["kubernetes", "cilium", "calico"] as const;
const PROFILE_HELP = `whose reading decides: ${PROFILES.join(", ")}; default: by the kinds of the policies`;

interface Traffic {
  readonly tuples?: string;
  readonly since: string;
  readonly until: string;
}

/** The options that say which traffic: a tuples file, or a range of the store. */
function withTraffic(command: Command): Command {
  return command
    .option("--tuples <file>", "a tuples file (weir export tuples) instead of the store")
    .option("--since <time>", "recorded traffic from when: 7d, now-2h, 2026-11-24", "7d")
    .option("--until <time>", "until when", "now");
}

function trafficOf(options: Traffic): TupleSource {
  if (options.tuples !== undefined) return { kind: "file", path: options.tuples };
  const range = rangeOf(options.since, options.until);
  return { kind: "fetch", fetch: () => tuplesFromStore(process.env, range, untilSignal()) };
}

const profileOption = (text: string | undefined): { profile?: (typeof PROFILES)[number] } => {
  const profile = choice(text, "--profile", PROFILES);
  return profile === undefined ? {} : { profile };
};

export function register(program: Command): void {
  const policy = program
    .command("policy")
    .description("check, explain, generate and verify network policies")
    .addHelpText("after", POLICY_HELP);
  policy
    .command("check")
    .description("parse policies and print what is wrong as file:line:column; exit 1 on errors")
    .argument("<path...>", "YAML files or folders")
    .option("--format <format>", "text, json", "text")
    .addHelpText("after", CHECK_HELP)
    .action(async (files: string[], options: { format: string }) => {
      const { policyCheck } = await import("../policy-check.ts");
      process.exitCode = await policyCheck(
        { files, format: choice(options.format, "--format", ["text", "json"] as const)! },
        writeLine,
      );
    });
  policy
    .command("verify")
    .description(
      "judge every flow of case files and compare with the reference engine's verdicts; exit 1 on a mismatch",
    )
    .argument("<file...>", "case files (JSON lines)")
    .option("--profile <profile>", "whose reading decides; default: what each case names")
    .option("--limit <number>", "mismatches to print at most", "100")
    .addHelpText("after", VERIFY_HELP)
    .action(async (files: string[], options: { profile?: string; limit: string }) => {
      const { policyVerify } = await import("../policy-verify.ts");
      process.exitCode = await policyVerify(
        { files, limit: number(options.limit, "--limit", 0, 1e6), ...profileOption(options.profile) },
        writeLine,
      );
    });
  withTraffic(policy.command("explain"))
    .description("say whether one may talk to another, and which line decides; exit 1 when denied")
    .requiredOption("-f, --policies <path...>", "policies in force: YAML files or folders")
    .requiredOption("--from <who>", "web, shop/web, app=web, an address, a looked-up name, entity:host")
    .requiredOption("--to <who>", "likewise")
    .requiredOption("--port <port>", "destination port: a number, or the name that the destination gives it")
    .option("--protocol <name>", "TCP, UDP, SCTP, ICMP, ICMPv6", "TCP")
    .option(
      "--family <version>",
      "4, 6: the IP version; default: an address's, else each on which the answer is another",
    )
    .option("--profile <profile>", PROFILE_HELP)
    .addHelpText("after", EXPLAIN_HELP)
    .action(
      async (
        options: Traffic & {
          policies: string[];
          from: string;
          to: string;
          port: string;
          protocol: string;
          family?: string;
          profile?: string;
        },
      ) => {
        const { policyExplain } = await import("../policy-explain.ts");
        const { policies, from, to, protocol } = options;
        const family = choice(options.family, "--family", ["4", "6"] as const);
        process.exitCode = await policyExplain(
          {
            policies,
            from,
            to,
            protocol,
            port: /^\d/.test(options.port) ? number(options.port, "--port", 0, 65535) : options.port,
            tuples: trafficOf(options),
            ...(family === undefined ? {} : { family: family === "4" ? 4 : 6 }),
            ...profileOption(options.profile),
          },
          writeLine,
        );
      },
    );
  withTraffic(policy.command("generate"))
    .description("write the least-privilege policy for recorded traffic; each rule says what it rests on")
    .requiredOption("--kind <kind>", "NetworkPolicy, CiliumNetworkPolicy, …")
    .option("--namespace <name>", "only workloads of this namespace")
    .option("--workload <name...>", "only these workloads")
    .option("--min-connections <number>", "leave out traffic rarer than this", "1")
    .option("--direction <list>", "ingress, egress; default both")
    .option("--no-reasons", "without comments on what each rule rests on")
    .addHelpText("after", GENERATE_HELP)
    .action(
      async (
        options: Traffic & {
          kind: string;
          namespace?: string;
          workload?: string[];
          minConnections: string;
          direction?: string;
          reasons: boolean;
        },
      ) => {
        const { policyGenerate } = await import("../policy-generate.ts");
        const directions = choices(options.direction, "--direction", ["ingress", "egress"] as const);
        process.exitCode = await policyGenerate(
          {
            tuples: trafficOf(options),
            kind: options.kind,
            minConnections: number(options.minConnections, "--min-connections", 1, 1e9),
            reasons: options.reasons,
            ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
            ...(options.workload === undefined ? {} : { workloads: options.workload }),
            ...(directions.length === 0 ? {} : { directions }),
          },
          writeLine,
        );
      },
    );
  withTraffic(policy.command("coverage"))
    .description(
      "who has no policy, and which rules are dead, redundant, shadowed, contradict each other or are wider than the traffic; exit 1 when there is any",
    )
    .requiredOption("-f, --policies <path...>", "policies in force: YAML files or folders")
    .option("--profile <profile>", PROFILE_HELP)
    .option("--format <format>", "table, json", "table")
    .addHelpText("after", COVERAGE_HELP)
    .action(async (options: Traffic & { policies: string[]; profile?: string; format: string }) => {
      const { policyCoverage } = await import("../policy-coverage.ts");
      process.exitCode = await policyCoverage(
        {
          policies: options.policies,
          tuples: trafficOf(options),
          format: choice(options.format, "--format", ["table", "json"] as const)!,
          ...profileOption(options.profile),
        },
        writeLine,
      );
    });
  withTraffic(program.command("whatif"))
    .description("what would these policies newly drop or allow of the traffic that really happened")
    .requiredOption("-f, --file <path...>", "the candidate: YAML files or folders")
    .option("--today <path...>", "the policies in force today; default: none")
    .option("--whole", "the candidate is the whole new set; default: it is laid over today's")
    .option("--fail-on <list>", "exit 1 when there is any: denied, allowed, dead, contradicts")
    .option("--format <format>", "table, json, sarif, markdown", "table")
    .option("--profile <profile>", PROFILE_HELP)
    .addHelpText("after", WHATIF_HELP)
    .action(
      async (
        options: Traffic & {
          file: string[];
          today?: string[];
          whole?: boolean;
          failOn?: string;
          format: string;
          profile?: string;
        },
        command: Command,
      ) => {
        const { FAIL_ON, WHATIF_FORMATS, whatIfCommand } = await import("../whatif.ts");
        const version = command.parent?.version();
        if (options.whole === true && options.today === undefined) {
          throw new WeirError({
            code: "bad-option",
            where: "--whole",
            what: "it compares with today's policies",
            expected: "--today PATH beside it",
          });
        }
        process.exitCode = await whatIfCommand(
          {
            candidate: options.file,
            today: options.today ?? [],
            mode: options.whole === true ? "whole" : "over",
            tuples: trafficOf(options),
            failOn: choices(options.failOn, "--fail-on", FAIL_ON),
            format: choice(options.format, "--format", WHATIF_FORMATS)!,
            ...profileOption(options.profile),
            ...(version === undefined ? {} : { version }),
          },
          writeLine,
          warnLine,
        );
      },
    );
}

const WHATIF_HELP = `
Exit code: 0 nothing of --fail-on, 1 there is some, 2 there is no answer (policies with errors, no store, bad options).

Examples:
  weir whatif -f policies/ --since 7d --fail-on denied
  weir export tuples --since 7d -o tuples.jsonl            once, where the store is
  weir whatif -f policies/ --tuples tuples.jsonl --format sarif > whatif.sarif      in a pull request
`;

const POLICY_HELP = `
Exit code of each: 0 yes, 1 the answer is no, 2 there is no answer.

Examples:
  weir policy check policies/
  weir policy explain -f policies/ --from shop/web --to data/db --port 5432
`;

const CHECK_HELP = `
Exit code: 0 nothing is wrong, 1 there are errors, 2 there is no answer (no such file).

Examples:
  weir policy check policies/
  weir policy check --format json web.yaml
`;

const VERIFY_HELP = `
Exit code: 0 all verdicts agree, 1 some do not, 2 there is no answer (no such file, no case in it).

Example:
  weir policy verify cases.jsonl --limit 10
`;

const COVERAGE_HELP = `
Exit code: 0 nothing was found, 1 there is something, 2 there is no answer (policies with errors, no store).

Example:
  weir policy coverage -f policies/ --since 7d
`;

const EXPLAIN_HELP = `
Exit code: 0 allowed, 1 denied, 2 there is no answer (policies with errors, nobody of that name, no store).

Example:
  weir policy explain -f policies/ --from shop/web --to data/db --port 5432
`;

const GENERATE_HELP = `
Exit code: 0 written, 1 there was no traffic to make any of, 2 there is no answer (no store, bad options).

Example:
  weir policy generate --namespace shop --kind CiliumNetworkPolicy > shop.yaml
`;

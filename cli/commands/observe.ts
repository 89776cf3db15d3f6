import type { Command } from "commander";
import { join } from "node:path";
import { WeirError } from "../../model/errors.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { FORMATS, printer, type Printer } from "../observe/format.ts";
import { liveFlows } from "../observe/live.ts";
import { untilSignal } from "../until-signal.ts";
import { dataDirectory } from "../../store/config.ts";

interface Options {
  readonly follow?: boolean;
  readonly since: string;
  readonly until: string;
  readonly last: string;
  readonly output: string;
}

export function register(program: Command): void {
  program
    .command("observe")
    .description("show flows: recorded ones, or live ones as they happen")
    .argument("[filter...]", "terms of the filter language, as in the app: src:web verdict:dropped -dst:dns")
    .option("-f, --follow", "show flows as they happen, until Ctrl-C")
    .option("--since <time>", "from when: now-15m, now-2h, 2026-11-24T14:00:00Z", "now-15m")
    .option("--until <time>", "until when", "now")
    .option("-n, --last <number>", "newest flows to show at most", "100")
    .option("-o, --output <format>", FORMATS.join(", "), "compact")
    .addHelpText("after", EXAMPLES)
    .action(async (terms: string[], options: Options) => {
      const filter = terms.join(" ");
      const problem = parseFilter(filter).problems[0];
      if (problem !== undefined) {
        throw new WeirError({
          code: "bad-filter",
          where: `filter, character ${problem.at + 1}`,
          what: problem.message,
          next: "weir observe --help has examples",
        });
      }
      const format = FORMATS.find((known) => known === options.output);
      if (format === undefined)
        throw new WeirError({
          code: "bad-option",
          where: "--output",
          what: `no format “${options.output}”`,
          expected: FORMATS.join(", "),
        });
      const out = printer(format, process.stdout.isTTY && process.env["NO_COLOR"] === undefined);
      const signal = untilSignal();
      if (options.follow === true) await follow(filter, out, signal);
      else {
        const { printHistory } = await import("../observe/history.ts");
        await printHistory({ filter, since: options.since, until: options.until, last: options.last }, out, signal);
      }
    });
}

async function follow(filter: string, out: Printer, signal: AbortSignal): Promise<void> {
  const socket = process.env["WEIR_COLLECTOR_SOCKET"] ?? join(dataDirectory(process.env), "run", "collector.sock");
  if (out.header !== undefined) process.stdout.write(`${out.header}\n`);
  for await (const batch of liveFlows(socket, filter, signal)) {
    for (const flow of batch.flows) process.stdout.write(`${out.line(flow)}\n`);
    if (batch.missed > 0)
      process.stderr.write(`weir: ${batch.missed} flows were not shown: they came faster than they could be written\n`);
  }
}

const EXAMPLES = `
Exit code: 0 shown, also when nothing matched; 2 there is no answer (no store or collector, bad input).

Examples:
  weir observe -f                                     everything, as it happens
  weir observe -f verdict:dropped,failed              only what went wrong
  weir observe --since now-2h src:web dst:payments port:8443
  weir observe -n 1000 -o json reason:NO_SOCKET | jq .destination.address
`;

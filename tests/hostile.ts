/**
 * Hostile inputs, thrown one by one at a real store, a real app and the collector's real live hub on loopback; after each, all three must answer an
 * honest question. Ends with "N inputs, N handled"; exit code 1 when the two numbers differ.
 *   node tests/hostile.ts [--small] [--only TEXT]
 */
import { parseArgs } from "node:util";
import { allInputs } from "./hostile/all.ts";
import { openHouse } from "./hostile/house.ts";
import { throwAll } from "./hostile/table.ts";

const { values } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    verbose: { type: "boolean", default: false },
  },
});
const size = values.small ? "small" : "full";
const inputs = allInputs(size).filter(({ name }) => name.includes(values.only));
const began = performance.now();
let outcomes;
{
  await using house = await openHouse();
  outcomes = await throwAll(house, inputs, size, ({ input, trouble, tookMs }) => {
    if (trouble !== undefined)
      process.stdout.write(`NOT HANDLED ${input.name}\n  expected: ${input.expected}\n  instead: ${trouble}\n`);
    else if (values.verbose)
      process.stdout.write(`handled ${input.name}: ${input.expected} (${Math.round(tookMs)} ms)\n`);
  });
}
const handled = outcomes.filter(({ trouble }) => trouble === undefined).length;
process.stdout.write(
  `${Math.round((performance.now() - began) / 1000)} s\n${outcomes.length} inputs, ${handled} handled\n`,
);
process.exit(handled === outcomes.length ? 0 : 1);

// Kills collector, store and app with -9 under load, again and again, and then counts: nothing durable lost, nothing doubled, the rest in the books.
//   npm run test:crash -- --kills 200 --seed 7 [--rate 500] [--no-app]
// Ctrl-C: no more kills, and the verdict on those that were. Ends with `N kills, 0 lost, 0 doubled`; exit code 0 when that is true, 1 when not, 2 when it could not be tried. Needs root.
import { parseArgs } from "node:util";
import { crash } from "./crash/run.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rate: { type: "string", default: "500" },
    "no-app": { type: "boolean", default: false },
  },
});
const [kills, seed, rate] = [Number(values.kills), Number(values.seed), Number(values.rate)];
const say = (sentence: string): boolean =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${sentence}\n`);

if (![kills, seed, rate].every(Number.isInteger) || kills < 1 || rate < 1) {
  process.stderr.write("crash: --kills, --seed and --rate are whole numbers\n");
  process.exit(2);
}
try {
  say(`${kills} kills, seed ${seed}, ${rate} connections a second${values["no-app"] ? ", without the app" : ""}`);
  const enough = new AbortController();
  process.once("SIGINT", () => enough.abort());
  const result = await crash({ kills, seed, rate, app: !values["no-app"], say, enough: enough.signal });
  for (const finding of result.findings) process.stdout.write(`${finding}\n`);
  const number = (value: number): string => value.toLocaleString("en-US");
  process.stdout.write(
    `${number(result.events)} events, ${number(result.rows)} rows; not durable at a kill and counted: ${number(result.crashed)}; in nobody's books: ${number(result.uncounted)}; ${result.together} kills took all at once\n`,
  );
  process.stdout.write(`${result.kills} kills, ${number(result.lost)} lost, ${number(result.doubled)} doubled\n`);
  const isGood = result.lost === 0 && result.doubled === 0 && result.uncounted === 0 && result.findings.length === 0;
  process.exit(isGood ? 0 : 1);
} catch (cause) {
  process.stderr.write(`crash: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exit(2);
}

/**
 * Reads the OpenMetrics text format 1.0 as strictly as its specification asks (github.com/prometheus/OpenMetrics, specification/OpenMetrics.md):
 * names, suffixes by type, HELP and TYPE before samples, families in one piece, escapes, buckets in order, `# EOF` at the end.
 */

export interface Sample {
  /** With its suffix: `weir_store_questions_total`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/y;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  summary: ["", "_sum", "_count", "_created"],
  info: ["_info"],
  unknown: [""],
};

/** The families of an exposition. Throws with the line that breaks a rule. */
export function parseOpenMetrics(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("# EOF\n")) throw new Error("the exposition does not end with # EOF and a line feed");
  const families = new Map<string, Family & { samples: Sample[]; type: string; help: string }>();
  let current: (Family & { samples: Sample[]; type: string; help: string }) | undefined;
  const seen = new Set<string>();
  const lines = text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1);
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === "" || /^\s|\s$/.test(line)) fail("empty line, or blanks around one");
    const meta = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line);
    if (line.startsWith("#")) {
      if (meta === null) return fail("no HELP, TYPE or UNIT line");
      const [, word, name, rest] = meta as unknown as [string, string, string, string];
      if (!NAME.test(name)) fail("no metric name");
      if (current?.name !== name) {
        if (families.has(name)) fail("a family in two pieces");
        current = { name, type: "", help: "", samples: [] };
        families.set(name, current);
      }
      if (current.samples.length > 0) fail("metadata behind samples");
      if (word === "HELP") current.help = current.help === "" ? rest : fail("a second HELP");
      if (word === "TYPE") current.type = current.type === "" && rest in SUFFIXES ? rest : fail("a second or no TYPE");
      if (word === "UNIT" && rest !== "" && !name.endsWith(`_${rest}`)) fail("the name does not end in its unit");
      continue;
    }
    const sample = readSample(line) ?? fail("no sample");
    const family = current ?? fail("a sample without a family");
    const suffix = sample.name.startsWith(family.name) ? sample.name.slice(family.name.length) : fail("of no family");
    if (!(SUFFIXES[family.type] ?? fail("no TYPE")).includes(suffix)) fail(`${family.type} with this suffix`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
    if (seen.has(key)) fail("the same sample twice");
    seen.add(key);
    if (family.type === "counter" && !(sample.value >= 0)) fail("a counter below 0");
    family.samples.push(sample);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

/** The value of one sample. Throws when it is not there. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const all = [...families.values()].flatMap((family) => family.samples).filter((sample) => sample.name === name);
  const found = all.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  if (found === undefined) throw new Error(`no sample ${name} ${JSON.stringify(labels)}`);
  return found.value;
}

function readSample(line: string): Sample | undefined {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) return undefined;
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at++;
    while (line[at] !== "}") {
      LABEL.lastIndex = at;
      const label = LABEL.exec(line);
      if (label === null || label[1]! in labels) return undefined;
      labels[label[1]!] = label[2]!.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
      at = LABEL.lastIndex;
      if (line[at] === ",") at++;
    }
    at++;
  }
  const value = line.slice(at + 1);
  if (line[at] !== " " || !VALUE.test(value)) return undefined;
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function checkFamily({ name, type, help, samples }: Family): void {
  const fail = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  if (type === "" || help === "") fail("without TYPE or HELP");
  if (/_(total|created|bucket|count|sum)$/.test(name)) fail("a family's name has a reserved suffix");
  if (type !== "histogram") return;
  const series = new Map<string, Sample[]>();
  for (const sample of samples.filter((each) => each.name === `${name}_bucket`)) {
    const { le: _le, ...rest } = sample.labels;
    const key = JSON.stringify(Object.entries(rest).toSorted());
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const buckets of series.values()) {
    if (buckets.at(-1)?.labels["le"] !== "+Inf") fail("the last bucket is not +Inf");
    buckets.forEach((bucket, i) => {
      const before = buckets[i - 1];
      if (before === undefined) return;
      const bound = (each: Sample): number => Number(each.labels["le"]!.replace("Inf", "Infinity"));
      if (bound(before) >= bound(bucket) || before.value > bucket.value) fail("buckets out of order");
    });
  }
}

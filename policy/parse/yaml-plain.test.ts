import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAnyYaml, parseYaml, YAML_LIMITS, type YamlNode } from "./yaml.ts";
import { readPlainYaml } from "./yaml-plain.ts";

const RUNS = Number(process.env["WEIR_RUNS"] ?? 1);
const shared = new URL("../../../shared/cases/policy/", import.meta.url);

/** Where the plain reading answers at all, it answers what the library does. */
function holdAgainstLibrary(text: string): boolean {
  const plain = readPlainYaml(text, YAML_LIMITS);
  if (plain === undefined) return false;
  const library = parseAnyYaml(text, "f");
  expect({ problems: library.problems, text }).toEqual({ problems: [], text });
  expect(plain.roots, text).toEqual(library.documents.map(({ root }) => root));
  const ours = parseYaml(text, "f").documents;
  for (const [i, { root, source }] of library.documents.entries())
    for (const offset of offsets(root)) expect(ours[i]!.source.position(offset)).toEqual(source.position(offset));
  return true;
}

function* offsets(node: YamlNode): Generator<number> {
  yield node.at;
  if (node.kind === "list") for (const item of node.items) yield* offsets(item);
  if (node.kind === "map")
    for (const entry of node.entries.values()) {
      yield entry.at;
      yield* offsets(entry.value);
    }
}

const SAMPLES = [
  "a: 1\nb:\n- x\n-\n- {c: d, 'e f': [1, 2.5]}\n# comment\nc:\n  - - y\n    - z: 0x1F\n      w: ~\n  -   k: v # c\n",
  "---\na: true\n---\n# nothing\n---\nb: 'it''s'\nc: \"x y\"\nd: k8s:app\ne: http://x/y#z\nf: -1\ng: -x\nh: 10.0.0.0/8\n",
  "spec:\n  podSelector: {}\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: web}}}]\n    ports: [{port: 80, protocol: TCP}]\n",
  "a: |\n  text\nb: &x [1]\nc: *x\n",
];

describe("the plain reading of YAML and the library's", () => {
  test("agree on every policy of the cases, which are read the plain way", () => {
    let plain = 0;
    let all = 0;
    for (const name of ["netpol-v1", "anp", "cluster-network-policy", "cilium", "calico"]) {
      const lines = readFileSync(new URL(`${name}.jsonl`, shared), "utf8")
        .trim()
        .split("\n");
      for (const line of RUNS > 1 ? lines : lines.slice(0, 40)) {
        const { policies } = JSON.parse(line) as { policies: string | string[] };
        all++;
        if (holdAgainstLibrary(typeof policies === "string" ? policies : policies.join("\n---\n"))) plain++;
      }
    }
    expect(plain / all).toBeGreaterThan(0.5);
  });

  test("agree on texts with any damage", () => {
    const piece = fc.constantFrom(
      ..."\n|  |- |: |# |: # x\n|'|\"|{|}|[|]|, |,|:|-|?|&a |*a|!t |\t|~|null|True|1|-1|0.5|1e3|.inf|0x1f|x|k: v|\n  |\n- |\n---\n|<<: |é|\\|%|@|`|>".split(
        "|",
      ),
    );
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(4), fc.array(piece, { maxLength: 3 })), { maxLength: 4 });
    let plain = 0;
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), edits, (sample, changes) => {
        let text = sample;
        for (const [at, cut, added] of changes) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + added.join("") + text.slice(place + cut);
        }
        if (holdAgainstLibrary(text)) plain++;
      }),
      { numRuns: 3000 * RUNS },
    );
    expect(plain).toBeGreaterThan(200 * RUNS);
  });

  test("agree on pieces put together at random", () => {
    const word = fc.constantFrom(
      "a",
      "b",
      "x y",
      "'q'",
      '"d"',
      "1",
      "-",
      "- ",
      ": ",
      ":",
      " ",
      "  ",
      "\n",
      "\n  ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      "#",
      " # c",
      "~",
      "---",
      "\n---\n",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => void holdAgainstLibrary(words.join(""))),
      { numRuns: 3000 * RUNS },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { formatProblem } from "../parse/problem.ts";
import { parsePolicies } from "../parse/policies.ts";
import { compilePolicies } from "../profiles.ts";
import { EMPTY_WORLD } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import { checkCalico } from "./kinds.ts";
import { documents } from "./random.test-support.ts";
import { calicoSentences } from "./sentences.ts";

function check(text: string): string[] {
  return checkCalico(text, "p.yaml").map(formatProblem);
}

function policy(spec: string, kind = "GlobalNetworkPolicy"): string {
  const namespace = kind.includes("Global") ? "" : ", namespace: shop";
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: {name: a${namespace}}\nspec:\n${spec.replace(/^/gm, "  ")}\n`;
}

describe("Calico's documents", () => {
  it("name file, line, column, field, what was found and what belongs there", () => {
    const text = policy(
      "selector: app = 'web'\ningress:\n- action: Allow\n  protocol: tcp\n  destination:\n    ports: [80, 90:80]",
    );
    expect(check(text)).toEqual([
      `p.yaml:5:13 spec.selector: selector "app = 'web'": a single =, at character 5; expected ==`,
      `p.yaml:8:15 spec.ingress[0].protocol: "tcp" is no protocol; expected TCP, or 1–255, TCP, UDP, SCTP, ICMP, ICMPv6 or UDPLite`,
      `p.yaml:10:19 spec.ingress[0].destination.ports[1]: "90:80" is no port; expected 1–65535, a range such as 8000:8010, or a port's name`,
    ]);
  });

  it("name the nearest known field for an unknown one", () => {
    expect(check(policy("ingress:\n- action: Allow\n  src: {}\n  destinaton: {}"))).toEqual([
      expect.stringContaining('unknown field "src"'),
      expect.stringContaining("expected destination (the nearest known field)"),
    ]);
  });

  it("are read in both groups, and a Tier's or a set's name is checked by its own rule", () => {
    const crd = policy("selector: all()").replace("projectcalico.org/v3", "crd.projectcalico.org/v1");
    expect(check(crd)).toEqual([]);
    expect(check("apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a.b}\n")).toHaveLength(1);
    expect(check("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: a.b.c}\n")).toEqual([]);
    expect(
      check("apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: a.b.c}\n"),
    ).toHaveLength(1);
    expect(
      check("apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: knp.default.a.b.c}\n"),
    ).toEqual([]);
  });

  it("keep a GlobalNetworkSet from Calico's own label", () => {
    const set =
      "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata:\n  name: a\n  labels: {projectcalico.org/namespace: shop}\n";
    expect(check(set)).toEqual([expect.stringContaining("projectcalico.org/namespace")]);
  });

  it("say what is taken but not evaluated, as a warning", () => {
    const warnings = checkCalico(policy("applyOnForward: true\ndoNotTrack: true"), "p.yaml");
    expect(warnings.map(({ severity, message }) => [severity, message])).toEqual([
      ["warning", "not evaluated: such a policy is for host endpoints, no pod is subject to it"],
    ]);
  });

  it("take what 3.32 takes and later releases refuse, with a warning", () => {
    const ports = Array.from({ length: 51 }, (_, i) => i + 1).join(", ");
    const nets = Array.from({ length: 257 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`).join(", ");
    const long = `app in {${Array.from({ length: 300 }, (_, i) => `'v${i}'`).join(", ")}}`;
    const rule = `{action: Allow, protocol: TCP, source: {nets: [${nets}], selector: "${long}"}, destination: {ports: [${ports}]}}`;
    const found = checkCalico(policy(`ingress:\n- ${rule}\n${"- action: Allow\n".repeat(1024)}`), "p.yaml");
    expect(found.map(({ severity, path, expected }) => [severity, path, expected])).toEqual([
      ["warning", "spec.ingress", "at most 1024"],
      ["warning", "spec.ingress[0].source.nets", "at most 256"],
      ["warning", "spec.ingress[0].source.selector", "at most 1024"],
      ["warning", "spec.ingress[0].destination.ports", "at most 50"],
    ]);
  });

  it("refuse what the schemas refuse in a staged deletion, a list of types and a tier's name", () => {
    const staged = (spec: string, kind: string) => check(policy(spec, kind)).map((line) => line.replace(/^\S+ /, ""));
    expect(staged("stagedAction: Delete\ningress: []", "StagedGlobalNetworkPolicy")).toEqual([
      "spec.ingress: ingress in a policy that is staged for deletion; expected nothing but stagedAction and tier",
    ]);
    expect(staged("policyTypes: []", "StagedKubernetesNetworkPolicy")).toEqual([
      "spec.policyTypes: 0 types in the list; expected Ingress, Egress or both",
    ]);
    expect(staged(`tier: ${"a".repeat(64)}`, "NetworkPolicy")).toHaveLength(1);
    expect(staged(`tier: ${"a".repeat(63)}`, "NetworkPolicy")).toEqual([]);
    expect(check(policy("types: []"))).toEqual([
      "p.yaml:5:10 spec.types: an empty list; expected Ingress, Egress or both",
    ]);
  });

  it("never throw, whatever stands in whichever field, and are compiled and told when taken", () => {
    const junk = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant([]),
      fc.constant({}),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const broken = fc
      .tuple(documents, fc.array(fc.tuple(fc.nat(), junk), { maxLength: 3 }))
      .map(([objects, changes]) => {
        for (const [at, value] of changes) replaceLeaf(objects, at, value);
        return objects.map((object) => stringify(object)).join("---\n");
      });
    fc.assert(
      fc.property(broken, (text) => {
        const { documents: read, problems } = parsePolicies(text, "junk.yaml");
        for (const problem of problems) expect(problem.line).toBeGreaterThan(0);
        for (const document of read) calicoSentences(document);
        compilePolicies(read, new WorldIndex({ ...EMPTY_WORLD, config: { staged: "enforced" } }), "calico");
      }),
      { numRuns: 150 },
    );
  });

  it("end in bounded time and memory on a hundred thousand rules, refused by count", () => {
    const text = policy(`ingress:\n${"- action: Allow\n".repeat(100_000)}`);
    expect(checkCalico(text, "p.yaml").map(({ message }) => message)).toEqual(["100000 rules in one list"]);
  });

  it("take __proto__ for an unknown field like any other", () => {
    expect(check(policy("__proto__: {}\nconstructor: 1"))).toHaveLength(2);
  });
});

/** Puts `value` in the place of one of the leaves below `root`. */
function replaceLeaf(root: object, at: number, value: unknown): void {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (holder: object) => {
    for (const [key, inner] of Object.entries(holder)) {
      places.push({ holder: holder as Record<string, unknown>, key });
      if (typeof inner === "object" && inner !== null) walk(inner as object);
    }
  };
  walk(root);
  const place = places[at % places.length];
  if (place !== undefined) place.holder[place.key] = value;
}

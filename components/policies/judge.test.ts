import { describe, expect, test } from "vitest";
import type { Judged, PolicyText, Refused } from "./answers.ts";
import { coverage, generate, matrix } from "./ask-traffic.ts";
import { Judge } from "./judge.ts";
import { answer } from "./judge.test-support.ts";
import { placesBy } from "./matrix-cells.ts";
import { proposeEdit } from "./propose.ts";
import { withItemReplaced } from "./text-edits.ts";
import { trafficOf } from "./traffic.ts";

const FLOWS = ["web payments 8443 100", "cart payments 8443 20", "payments ledger 9090 50", "payments api 443 7"];
const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: payments
  namespace: pay
spec:
  podSelector: {matchLabels: {app: payments}}
  ingress:
    - from:
        - namespaceSelector: {}
          podSelector: {matchLabels: {app: web}}
    - from:
        - podSelector: {matchLabels: {app: nobody}}
`;

function files(text: string, inForce?: string): PolicyText[] {
  return [{ name: "p.yaml", text, inForce }];
}
function judged(answered: Judged | Refused): Judged {
  if (!("counts" in answered)) throw new Error(`refused: ${answered.problems[0]?.message}`);
  return answered;
}
function made(): Judge {
  return new Judge(trafficOf(answer(...FLOWS)));
}

describe("an answer", () => {
  test("names what is newly denied with the line that selects, and counts by line", () => {
    const it = judged(made().judge(files(POLICY), undefined));
    expect(it.changed.map((row) => [row.change, row.edge, row.connections, row.by])).toEqual([
      [
        "newly-denied",
        "shop/cart → pay/payments",
        20,
        { file: "p.yaml", line: 7, isDefault: true, direction: "ingress" },
      ],
    ]);
    expect(it.lines["p.yaml"]!.map((use) => [use.line, use.allowed, use.newlyDenied])).toEqual([
      [9, 100, 0],
      [12, 0, 0],
      [7, 0, 20],
    ]);
    expect(it.edges.find((edge) => edge.key === "shop/cart → pay/payments")?.change).toBe("newly-denied");
    expect(it.sentences.filter((sentence) => !sentence.isSummary).map((sentence) => sentence.line)).toEqual([9, 12]);
  });

  test("takes the text in force as today's: the same text changes nothing, none at all allows again", () => {
    const judge = made();
    expect(judged(judge.judge(files(POLICY, POLICY), undefined)).counts["newly-denied"].tuples).toBe(0);
    expect(judged(judge.judge(files("", POLICY), undefined)).counts["newly-allowed"]).toEqual({
      tuples: 1,
      connections: 20,
    });
  });

  test("is refused with a place where the text is half typed, and the last answer stays askable", () => {
    const judge = made();
    const row = judged(judge.judge(files(POLICY), undefined)).changed[0]!.row;
    const refused = judge.judge(files(`${POLICY}  egress: {\n`), undefined);
    expect("counts" in refused).toBe(false);
    expect(refused.problems[0]).toMatchObject({ file: "p.yaml", severity: "error" });
    expect(judge.explain(row)).toMatchObject({ verdict: "deny", nearest: [{ line: 9 }, { line: 12 }] });
  });

  test("leaves out a broken file of the folder, and is refused by the same text once somebody edits it", () => {
    const broken = { name: "folder/b.yaml", text: "kind: NetworkPolicy\n", inForce: "kind: NetworkPolicy\n" };
    const it = judged(made().judge([...files(POLICY), { ...broken, asOnDisk: true }], undefined));
    expect(it.counts["newly-denied"].tuples).toBe(1);
    expect(it.problems).toMatchObject([{ file: "folder/b.yaml", severity: "error" }]);
    expect("counts" in made().judge([...files(POLICY), broken], undefined)).toBe(false);
  });

  test("says which rules nothing hits", () => {
    const judge = made();
    judge.judge(files(POLICY), undefined);
    expect(judge.uses()!["p.yaml"]!.find((use) => use.line === 12)?.state).toBe("never hit");
    expect(coverage(judge)).toMatchObject({
      workloads: 4,
      idle: [{ line: 12, state: "dead" }],
      wide: [{ line: 9, what: "allows every port" }],
    });
  });

  test("narrows a wide rule in peers and ports, and nothing that was seen is denied by it", () => {
    const wide = POLICY.replace("podSelector: {matchLabels: {app: web}}", "podSelector: {}");
    const judge = made();
    expect(judged(judge.judge(files(wide), undefined)).changed).toEqual([]);
    const [finding] = coverage(judge)!.wide;
    expect(finding).toMatchObject({ line: 9, what: "allows every port, takes in 4 workloads, of which 2 came" });
    const narrow = withItemReplaced(wide, finding!.line, finding!.item!)!;
    expect(judged(judge.judge(files(narrow), undefined)).changed).toEqual([]);
    expect(narrow).toContain("app: cart");
    expect(coverage(judge)!.wide).toEqual([]);
  });

  test("names rules that contradict each other, with both lines", () => {
    const judge = made();
    const admin = (name: string, action: string, priority: number) =>
      `apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: ${name}}\nspec:\n  priority: ${priority}\n  subject: {namespaces: {}}\n  ingress:\n    - action: ${action}\n      from: [{namespaces: {}}]\n`;
    judge.judge(files(`${admin("first", "Deny", 1)}---\n${admin("second", "Allow", 2)}`), undefined);
    expect(coverage(judge)!.contradictions).toMatchObject([
      { why: "overridden", file: "p.yaml", line: 18, by: { line: 8 } },
    ]);
  });
});

describe("the smallest edit", () => {
  const edge = {
    source: { namespace: "shop", workload: "cart" },
    destination: { namespace: "pay", workload: "payments" },
    port: "TCP 8443",
  };

  test("allows an edge by one rule in the policy that denies it", () => {
    const judge = made();
    judge.judge(files(POLICY), undefined);
    const edit = proposeEdit(judge, files(POLICY), { action: "allow", ...edge })!;
    expect(edit.file).toBe("p.yaml");
    expect(edit.after.startsWith(POLICY.trimEnd())).toBe(true);
    expect(judged(judge.judge(files(edit.after), undefined)).changed).toEqual([]);
  });

  test("denies an edge by taking out the rule that lets in only it", () => {
    const judge = made();
    judge.judge(files(POLICY), undefined);
    const edit = proposeEdit(judge, files(POLICY), {
      action: "deny",
      ...edge,
      source: { namespace: "shop", workload: "web" },
    })!;
    expect(edit.after).not.toContain("app: web");
    expect(judged(judge.judge(files(edit.after), undefined)).counts["newly-denied"]).toEqual({
      tuples: 2,
      connections: 120,
    });
  });

  test("allows only an edge, or all but an edge, by a file of its own where nothing is closed yet", () => {
    for (const [action, denied] of [
      ["only", 100],
      ["deny", 20],
    ] as const) {
      const judge = made();
      judge.judge([], undefined);
      const edit = proposeEdit(judge, [], { action, ...edge })!;
      expect(edit.before).toBe("");
      const after = judged(judge.judge([{ name: edit.file, text: edit.after, inForce: undefined }], undefined));
      expect(after.counts["newly-denied"]).toEqual({ tuples: 1, connections: denied });
    }
  });

  test("says so where there is nothing to do or nothing was seen", () => {
    const judge = made();
    judge.judge([], undefined);
    expect(proposeEdit(judge, [], { action: "allow", ...edge })).toMatchObject({
      before: "",
      after: "",
      why: expect.stringContaining("allowed already"),
    });
    expect(proposeEdit(judge, [], { action: "deny", ...edge, port: "TCP 1" })?.why).toContain("No traffic");
  });
});

test("what is generated denies nothing that was seen, and rare flows can be left out", () => {
  const judge = made();
  const request = {
    kind: "NetworkPolicy",
    namespace: "pay",
    workloads: [],
    minConnections: 1,
    seenSince: 0,
    directions: ["ingress"],
  } as const;
  const all = generate(judge.traffic, request);
  expect(judged(judge.judge(files(all.yaml), undefined)).changed).toEqual([]);
  const fewer = generate(judge.traffic, { ...request, minConnections: 50 });
  expect(fewer.leftOut).toBe(2);
  expect(judged(judge.judge(files(fewer.yaml), undefined)).changed.map((row) => row.connections)).toEqual([20]);
});

test("traffic of more workloads is taken in by what was compiled, and judged as by a new judge", () => {
  const before = new Judge(trafficOf(answer(...FLOWS.slice(0, 2))));
  before.judge(files(POLICY), undefined);
  const compiled = before.last!.whatIf;
  const traffic = trafficOf(answer(...FLOWS.slice(0, 3)));
  const [kept, fresh] = [new Judge(traffic, before), new Judge(traffic)];
  const [ours, theirs] = [kept, fresh].map((judge) => ({ ...judged(judge.judge(files(POLICY), undefined)), ms: 0 }));
  expect(ours).toEqual(theirs);
  expect(kept!.last!.whatIf).toBe(compiled);
  expect(matrix(kept)).toEqual(matrix(fresh));
  expect(coverage(kept)).toEqual(coverage(fresh));
});

test("the matrix tells may from did", () => {
  const judge = made();
  judge.judge(files(POLICY), undefined);
  const { sources, cells, lines } = matrix(judge)!;
  const at = (name: string) => sources.findIndex((end) => end.workload === name);
  const cell = (from: string, to: string) => at(from) * sources.length + at(to);
  expect(cells[cell("web", "payments")]).toBe(3);
  expect(cells[cell("cart", "payments")]).toBe(2);
  expect(cells[cell("ledger", "payments")]).toBe(0);
  expect(cells[cell("cart", "ledger")]).toBe(1);
  const order = placesBy(matrix(judge)!, { by: "destination", of: at("payments") });
  expect(order.rows[0]).toBe(at("web"));
  expect(order.columns).toEqual(sources.map((_, place) => place));
  expect(placesBy(matrix(judge)!, { by: "name" }).rows.map((place) => sources[place]!.workload)).toEqual([
    "ledger",
    "payments",
    "cart",
    "web",
  ]);
  expect(lines[cell("cart", "payments")]).toEqual({ file: "p.yaml", line: 7, isDefault: true, direction: "ingress" });
});

test("a name outside is an address that only the whole world takes in", () => {
  const traffic = trafficOf(answer(...FLOWS));
  const egress = (cidr: string) =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: out, namespace: pay}\nspec:\n  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n    - to: [{ipBlock: {cidr: ${cidr}}}]\n    - to: [{podSelector: {}}]\n`;
  expect(judged(new Judge(traffic).judge(files(egress("0.0.0.0/0")), undefined)).changed).toEqual([]);
  expect(
    judged(new Judge(traffic).judge(files(egress("10.0.0.0/8")), undefined)).changed.map((row) => row.edge),
  ).toEqual(["pay/payments → /api.example.com"]);
});

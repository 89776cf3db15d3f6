import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policyCheck } from "./policy-check.ts";
import { policyCoverage } from "./policy-coverage.ts";
import { policyExplain } from "./policy-explain.ts";
import { policyGenerate } from "./policy-generate.ts";
import { policyVerify } from "./policy-verify.ts";
import { whatIfCommand, type WhatIfOptions } from "./whatif.ts";

let folder = "";
const file = (name: string) => join(folder, name);

const TUPLES = [
  { format: "weir-tuples/1", from: "2026-01-01T00:00:00Z", to: "2026-01-08T00:00:00Z", produced: 1000, lost: 1 },
  { namespace: { name: "shop", labels: { team: "red" } } },
  {
    identity: {
      id: "1",
      namespace: "shop",
      workload: "web",
      labels: { app: "web", tier: "front" },
      addresses: ["10.0.0.1"],
    },
  },
  {
    identity: {
      id: "2",
      namespace: "shop",
      workload: "db",
      labels: { app: "db" },
      addresses: ["10.0.0.2"],
      ports: [{ name: "pg", port: 5432, protocol: "TCP" }],
    },
  },
  {
    identity: {
      id: "3",
      namespace: "shop",
      workload: "spy\u001b[31m",
      labels: { app: "spy" },
      addresses: ["10.0.0.3"],
    },
  },
  {
    tuple: {
      src: { id: "1" },
      dst: { id: "2" },
      protocol: "TCP",
      port: 5432,
      connections: 40,
      lastSeen: "2026-01-07T10:00:00Z",
    },
  },
  { tuple: { src: { id: "3" }, dst: { id: "2" }, protocol: "TCP", port: 5432, connections: 2 } },
  {
    tuple: {
      src: { id: "1" },
      dst: { address: "93.184.216.34", name: "api.example.com" },
      protocol: "TCP",
      port: 443,
      connections: 7,
    },
  },
];

const DB_POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web, tier: front}}}]
    ports: [{port: pg}]
  - from: [{podSelector: {matchLabels: {app: nobody}}}]
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-policy-cli-"));
  await writeFile(file("tuples.jsonl"), TUPLES.map((line) => JSON.stringify(line)).join("\n"));
  await writeFile(file("db.yaml"), DB_POLICY);
  await writeFile(
    file("bad.yaml"),
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podselector: {}\n  ingress:\n  - ports: [{port: 99999}]\n",
  );
});
afterAll(() => rm(folder, { recursive: true }));

async function run(
  command: (write: (line: string) => void) => Promise<number>,
): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const code = await command((line) => lines.push(line));
  return { code, out: lines.join("\n") };
}
const tuples = () => ({ kind: "file" as const, path: file("tuples.jsonl") });

describe("weir policy check", () => {
  test("says where and what was expected, and exits 1", async () => {
    const { code, out } = await run((write) => policyCheck({ files: [file("bad.yaml")] }, write));
    expect(code).toBe(1);
    expect(out).toContain('bad.yaml:5:3 spec.podselector: unknown field "podselector"; expected podSelector');
    expect(out).toContain("bad.yaml:7:20 spec.ingress[0].ports[0].port: 99999 is no port; expected 1–65535");
  });
  test("exits 0 on what is right, reads folders, and refuses what is not there", async () => {
    expect((await run((write) => policyCheck({ files: [file("db.yaml")] }, write))).code).toBe(0);
    await expect(run((write) => policyCheck({ files: [file("none.yaml")] }, write))).rejects.toThrow(
      /none\.yaml.*does not exist/,
    );
  });
});

describe("weir whatif", () => {
  const options = (more: Partial<WhatIfOptions>): WhatIfOptions => ({
    candidate: [file("db.yaml")],
    today: [],
    tuples: tuples(),
    ...more,
  });
  const what = (more: Partial<WhatIfOptions>) => run((write) => whatIfCommand(options(more), write, write));

  test("lists what would be denied with the reason, and what the answer rests on", async () => {
    const { code, out } = await what({ failOn: ["denied"] });
    expect(code).toBe(1);
    expect(out).toContain("2 connections (1 tuple) newly denied");
    expect(out).toContain("default deny by NetworkPolicy/shop/db");
    expect(out).toContain("0.1 % of events lost");
    expect(out).toContain("NetworkPolicy/shop/db ingress[1]");
    expect(out).not.toContain("\u001b");
  });
  test("exits 0 when what fails is not there", async () => {
    expect((await what({ failOn: ["allowed"] })).code).toBe(0);
    expect((await what({ today: [file("db.yaml")], failOn: ["denied", "allowed"] })).code).toBe(0);
    expect((await what({ failOn: ["dead"] })).code).toBe(1);
  });
  test("gives JSON, SARIF and Markdown", async () => {
    const json = JSON.parse((await what({ format: "json" })).out) as {
      denied: { by: string }[];
      rules: { state: string }[];
    };
    expect(json.denied).toHaveLength(1);
    expect(json.rules).toEqual([expect.objectContaining({ state: "dead", line: 9 })]);
    const sarif = JSON.parse((await what({ format: "sarif", version: "1" })).out) as {
      version: string;
      runs: { results: { ruleId: string }[] }[];
    };
    expect(sarif.version).toBe("2.1.0");
    expect(sarif.runs[0]!.results.map((result) => result.ruleId)).toEqual(["newly-denied", "rule-dead"]);
    expect((await what({ format: "markdown" })).out).toContain("| shop/spy\\\\u001b[31m | shop/db | TCP 5432 | 2 |");
  });
  test("has no answer for a document that is refused", async () => {
    expect((await what({ candidate: [file("bad.yaml")] })).code).toBe(2);
  });
});

describe("weir policy explain", () => {
  const explain = (from: string, port: number | string) =>
    run((write) => policyExplain({ policies: [file("db.yaml")], tuples: tuples(), from, to: "shop/db", port }, write));

  test("names the rule and its line", async () => {
    const { code, out } = await explain("web", 5432);
    expect(code).toBe(0);
    expect(out).toContain("NetworkPolicy/shop/db ingress[0]");
    expect(out).toContain("db.yaml:7:5");
    expect(out).toContain("egress: allowed – no policy selects it");
  });
  test("says what was missing", async () => {
    expect((await explain("web", 8443)).out).toContain(
      "would allow it but for port TCP 8443 (the rule has TCP 5432, pg)",
    );
    const { code, out } = await explain("app=spy", 5432);
    expect(code).toBe(1);
    expect(out).toContain("label app=web (it has app=spy) on the source and label tier=front (missing) on the source");
  });
  test("answers for each IP version where they differ, or for the one that is asked for", async () => {
    await writeFile(
      file("dual.jsonl"),
      [
        TUPLES[0],
        { identity: { id: "1", namespace: "shop", workload: "web", addresses: ["10.0.0.1", "fd00::1"] } },
        {
          identity: {
            id: "2",
            namespace: "shop",
            workload: "db",
            labels: { app: "db" },
            addresses: ["10.0.0.2", "fd00::2"],
          },
        },
      ]
        .map((line) => JSON.stringify(line))
        .join("\n"),
    );
    const block = DB_POLICY.replace(
      "podSelector: {matchLabels: {app: web, tier: front}}",
      "ipBlock: {cidr: 10.0.0.0/24}",
    ).replace("port: pg", "port: 5432");
    await writeFile(file("block.yaml"), block);
    const ask = (more: { family?: 4 | 6; from?: string }) =>
      run((write) =>
        policyExplain(
          {
            policies: [file("block.yaml")],
            tuples: { kind: "file", path: file("dual.jsonl") },
            from: "web",
            to: "db",
            port: 5432,
            ...more,
          },
          write,
        ),
      );
    const { code, out } = await ask({});
    expect(code).toBe(1);
    expect(out).toContain("over IPv4: allowed");
    expect(out).toContain("over IPv6: denied");
    expect((await ask({ family: 4 })).code).toBe(0);
    expect((await ask({ from: "10.0.0.1" })).out).toMatch(/^10\.0\.0\.1 → shop\/db TCP 5432: allowed/);
  });
  test("takes a name that was looked up", async () => {
    const { out } = await run((write) =>
      policyExplain(
        { policies: [file("db.yaml")], tuples: tuples(), from: "web", to: "api.example.com", port: 443 },
        write,
      ),
    );
    expect(out).toContain("api.example.com (93.184.216.34) TCP 443: allowed");
  });
  test("takes the destination's name of a port, and says which there are", async () => {
    expect((await explain("web", "pg")).out).toContain("shop/web → shop/db TCP 5432: allowed");
    await expect(explain("web", "http")).rejects.toThrow(/shop\/db has no TCP port called "http".*pg \(TCP 5432\)/);
  });
  test("asks back when nobody is meant", async () => {
    await expect(explain("nobody", 1)).rejects.toThrow(/nobody is called "nobody".*shop\/web/);
  });
});

test("weir policy generate gives rules with their reasons, and they deny nothing", async () => {
  const { code, out } = await run((write) =>
    policyGenerate({ tuples: tuples(), kind: "CiliumNetworkPolicy", namespace: "shop", minConnections: 5 }, write),
  );
  expect(code).toBe(0);
  expect(out).toContain("matchName: api.example.com");
  expect(out).toContain("# ingress[0]: 40 connections: shop/web → shop/db TCP 5432");
  expect(out).toContain("look-ups that names need");
  await expect(run((write) => policyGenerate({ tuples: tuples(), kind: "Kind" }, write))).rejects.toThrow(
    /cannot be generated/,
  );
});

test("weir policy coverage names who has no policy, dead rules and wide ones", async () => {
  const { code, out } = await run((write) => policyCoverage({ policies: [file("db.yaml")], tuples: tuples() }, write));
  expect(code).toBe(1);
  expect(out).toMatch(/shop\/web +ingress, egress/);
  expect(out).toMatch(/ingress\[1\] +dead/);
});

test("weir policy verify ends with the counts, and exits 1 at a mismatch", async () => {
  const it = (verdict: string) => ({
    id: "c1",
    profile: "kubernetes",
    namespaces: [{ name: "shop", labels: {} }],
    pods: [
      { namespace: "shop", name: "web", labels: { app: "web" }, ip: "10.0.0.1" },
      { namespace: "shop", name: "db", labels: { app: "db" }, ip: "10.0.0.2" },
    ],
    policies: DB_POLICY,
    flows: [{ src: "shop/web", dst: "shop/db", proto: "TCP", port: 5432, verdict, egress: "allow", ingress: verdict }],
  });
  await writeFile(file("right.jsonl"), JSON.stringify(it("deny")));
  await writeFile(file("wrong.jsonl"), JSON.stringify(it("allow")));
  expect(await run((write) => policyVerify({ files: [file("right.jsonl")] }, write))).toEqual({
    code: 0,
    out: "1 flows, 0 mismatches",
  });
  const { code, out } = await run((write) => policyVerify({ files: [file("wrong.jsonl")] }, write));
  expect(code).toBe(1);
  expect(out).toContain("c1: shop/web → shop/db TCP 5432");
  expect(out).toMatch(/1 flows, 1 mismatches$/);
});

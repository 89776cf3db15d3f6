/**
 * Policies on the demo world's store, end to end: its recording plays through the collector into a store of its own, and then
 * every command is a process of ./bin/weir, once on the store and once on the tuples file that it exports.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeOf, tuplesFromStore } from "../cli/tuples-from-store.ts";
import { GENERATED_KINDS } from "../policy/generate/write.ts";
import { endText } from "../policy/tuples.ts";
import { startStoreProcess, type StoreProcess } from "../store/embedded/spawn.ts";

const WEIR = fileURLToPath(new URL("../bin/weir", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../scripts/demo/sample.weir", import.meta.url));
/** Seen in the recording's first seconds; cart → ledger is the edge that comes later. */
const AWAITED = [
  "platform/gateway → storefront/web 8080",
  "storefront/web → payments/payments 8443",
  "payments/payments → payments/ledger 9090",
  "storefront/cart → payments/ledger 9090",
  "storefront/catalog → data/db 5432",
];
const SEEN_WITHIN_MS = 100_000;

/** cart and catalog may no longer talk to ledger; line 7 lets payments in. */
const LEDGER = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ledger, namespace: payments}
spec:
  podSelector: {matchLabels: {app: ledger}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: payments}}}]
    ports: [{port: 9090}]
  - from: [{podSelector: {matchLabels: {app: nobody}}}]
`;
/** The same in Cilium's words: a line that denies. */
const DENY_CART = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: no-cart, namespace: payments}
spec:
  endpointSelector: {matchLabels: {app: ledger}}
  enableDefaultDeny: {ingress: false}
  ingressDeny:
  - fromEndpoints: [{matchLabels: {app: cart, k8s:io.kubernetes.pod.namespace: storefront}}]
`;

/** By address and by port name alone, an IP version each: payments' block lets payments in, nobody of storefront. */
const BY_BLOCK = (cidr: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ledger-block, namespace: payments}
spec:
  podSelector: {matchLabels: {app: ledger}}
  ingress:
  - from: [{ipBlock: {cidr: "${cidr}"}}]
    ports: [{port: grpc}]
`;

let folder = "";
let store: StoreProcess | undefined;
let env: NodeJS.ProcessEnv = process.env;
const file = (name: string) => join(folder, name);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly said: string;
}

async function weir(...args: readonly string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile(WEIR, args, { env, cwd: folder, maxBuffer: 16 << 20 }, (error, out, said) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, out, said });
    });
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-policy-demo-"));
  const settings = {
    WEIR_DATA_DIR: folder,
    WEIR_STORE_PORT: "0",
    WEIR_CLICKHOUSE_URL: "",
    WEIR_CLICKHOUSE_USER: "",
    WEIR_CLICKHOUSE_PASSWORD: "",
  };
  store = await startStoreProcess(settings);
  env = {
    ...process.env,
    ...settings,
    WEIR_STORE_PORT: new URL(store.url).port,
    WEIR_COLLECTOR_SOCKET: file("collector.sock"),
    WEIR_NODE: "demo",
  };
  const collector = spawn(WEIR, ["collect", "--replay", SAMPLE], { env, stdio: ["ignore", "ignore", "ignore"] });
  const ended = new Promise<void>((resolve) => collector.once("exit", () => resolve()));
  try {
    await untilSeen();
  } finally {
    collector.kill("SIGTERM");
    await ended;
  }
  await writeFile(file("ledger.yaml"), LEDGER);
  await writeFile(file("deny-cart.yaml"), DENY_CART);
  await writeFile(
    file("block.yaml"),
    `${BY_BLOCK("10.42.3.0/24")}---\n${BY_BLOCK("fd42:3::/64").replace("-block", "-block6")}`,
  );
  await writeFile(file("block4.yaml"), BY_BLOCK("10.42.3.0/24"));
  expect(await weir("export", "tuples", "-o", file("tuples.jsonl"))).toMatchObject({ code: 0 });
}, SEEN_WITHIN_MS + 60_000);
afterAll(async () => {
  await store?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function untilSeen(): Promise<void> {
  const deadline = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const set = await tuplesFromStore(env, rangeOf("7d", "now"), new AbortController().signal);
    const identities = new Map(set.identities.map((identity) => [identity.id, identity]));
    const seen = new Set(
      set.tuples.map((it) => `${endText(it.source, identities)} → ${endText(it.destination, identities)} ${it.port}`),
    );
    const missing = AWAITED.filter((edge) => !seen.has(edge));
    if (missing.length === 0) return;
    if (Date.now() > deadline) throw new Error(`the recording did not show ${missing.join(", ")}`);
    await delay(500);
  }
}

describe.each([
  ["the store", () => ["--since", "7d"]],
  ["a tuples file", () => ["--tuples", file("tuples.jsonl")]],
])("on %s", (_name, traffic) => {
  test("a what-if names the edges that a policy newly denies, and exits 1 where that is asked", async () => {
    const { code, out } = await weir("whatif", "-f", "ledger.yaml", "--fail-on", "denied", ...traffic());
    expect(code).toBe(1);
    const denied = out.slice(out.indexOf("Newly denied"), out.indexOf("Rules that change nothing"));
    expect(denied).toMatch(
      /storefront\/cart +payments\/ledger +TCP 9090 .*default deny by NetworkPolicy\/payments\/ledger \(\S*ledger\.yaml:1:/,
    );
    expect(denied).toMatch(/storefront\/catalog +payments\/ledger +TCP 9090/);
    expect(denied).not.toContain("payments/payments");
    expect(out).toMatch(/NetworkPolicy\/payments\/ledger ingress\[1\] +dead +\S*ledger\.yaml:9/);
    expect(await weir("whatif", "-f", "ledger.yaml", ...traffic())).toMatchObject({ code: 0 });
  });

  test("blocks match pods by their addresses, and port names are those of the pods", async () => {
    const judge = async (name: string): Promise<readonly DeniedRow[]> => {
      const { out } = await weir("whatif", "-f", name, "--format", "json", ...traffic());
      return (JSON.parse(out) as { denied: DeniedRow[] }).denied;
    };
    const denied = await judge("block.yaml");
    const sources = new Set(
      denied.filter(({ destination }) => destination === "payments/ledger").map((it) => it.source),
    );
    expect([...sources].toSorted()).toEqual(["storefront/cart", "storefront/catalog"]);
    // Both versions are denied alike: one row, that names one only where the other was not seen.
    expect(denied.filter(({ port }) => !/^TCP 9090( over IPv[46])?$/.test(port))).toEqual([]);
    expect(denied).toHaveLength(new Set(denied.map((it) => `${it.source} ${it.destination}`)).size);
    // A block of IPv4 lets no IPv6 in; what is denied of payments then is IPv6, and says so.
    const others = (await judge("block4.yaml")).filter(({ source }) => source === "payments/payments");
    for (const { port } of others) expect(port).toBe("TCP 9090 over IPv6");
    const calico = await weir("whatif", "-f", "block.yaml", "--profile", "calico", "--format", "json", ...traffic());
    expect((JSON.parse(calico.out) as { denied: DeniedRow[] }).denied).toHaveLength(denied.length);
    // Cilium's blocks never match pods: it keeps out payments, too.
    const cilium = await weir("whatif", "-f", "block.yaml", "--profile", "cilium", "--format", "json", ...traffic());
    const kept = (JSON.parse(cilium.out) as { denied: DeniedRow[] }).denied;
    expect(kept.map(({ source }) => source)).toContain("payments/payments");
  });

  test("a rule that denies is named with its line, in Cilium's kinds and as SARIF", async () => {
    const { code, out } = await weir(
      "whatif",
      "-f",
      "deny-cart.yaml",
      "--fail-on",
      "denied",
      "--format",
      "sarif",
      ...traffic(),
    );
    expect(code).toBe(1);
    const denied = sarifOf(out).filter((result) => result.ruleId === "newly-denied");
    expect(denied).toHaveLength(1);
    expect(denied[0]!.message.text).toContain("storefront/cart → payments/ledger TCP 9090");
    expect(denied[0]!.locations?.[0]?.physicalLocation).toMatchObject({
      artifactLocation: { uri: expect.stringMatching(/deny-cart\.yaml$/) as string },
      region: { startLine: 8 },
    });
  });

  test("explain says who decides, with the line, and what the nearest rule lacks", async () => {
    const ask = (from: string) =>
      weir(
        "policy",
        "explain",
        "-f",
        "ledger.yaml",
        "--from",
        from,
        "--to",
        "payments/ledger",
        "--port",
        "9090",
        ...traffic(),
      );
    const cart = await ask("storefront/cart");
    expect(cart.code).toBe(1);
    expect(cart.out).toContain("ingress: denied – default deny by NetworkPolicy/payments/ledger");
    expect(cart.out).toMatch(/ledger\.yaml:7.*would allow it but for .*label app=payments/);
    const payments = await ask("payments/payments");
    expect(payments.code).toBe(0);
    expect(payments.out).toMatch(/NetworkPolicy\/payments\/ledger ingress\[0\] \(\S*ledger\.yaml:7/);
  });

  test("coverage lists who has no policy and the rule that nothing matches", async () => {
    const { code, out } = await weir("policy", "coverage", "-f", "ledger.yaml", ...traffic());
    expect(code).toBe(1);
    expect(out).toMatch(/storefront\/web +ingress, egress/);
    expect(out).toMatch(/payments\/ledger +egress/);
    expect(out).toMatch(/ingress\[1\] +dead/);
    expect(out).not.toContain("/crawler"); // it is outside: no policy could select it
    expect(out.match(/storefront\/cart /g)).toHaveLength(1); // its service is no workload of its own
  });
});

describe.each(Object.keys(GENERATED_KINDS))("a generated %s", (kind) => {
  test.each([["storefront"], ["payments"]])("for %s denies nothing that was seen", async (namespace) => {
    const made = await weir("policy", "generate", "--namespace", namespace, "--kind", kind, "--tuples", "tuples.jsonl");
    expect(made.said).toBe("");
    expect(made.code).toBe(0);
    const name = `${kind}-${namespace}.yaml`;
    await writeFile(file(name), made.out);
    expect(await weir("policy", "check", name)).toMatchObject({ code: 0 });
    const tried = await weir(
      "whatif",
      "-f",
      name,
      "--fail-on",
      "denied",
      "--format",
      "json",
      "--tuples",
      "tuples.jsonl",
    );
    const report = JSON.parse(tried.out) as { denied: { source: string; destination: string }[]; counts: unknown };
    expect(report.denied, await readFile(file(name), "utf8")).toEqual([]);
    expect(tried.code).toBe(0);
  });
});

interface DeniedRow {
  readonly source: string;
  readonly destination: string;
  readonly port: string;
}

interface SarifResult {
  readonly ruleId: string;
  readonly message: { readonly text: string };
  readonly locations?: readonly { readonly physicalLocation: unknown }[];
}

function sarifOf(text: string): readonly SarifResult[] {
  return (JSON.parse(text) as { runs: { results: SarifResult[] }[] }).runs[0]!.results;
}

/**
 * New NetworkPolicy cases by seed, without verdicts: small worlds whose labels, ports and addresses meet often, with every field of
 * NetworkPolicy v1 and every way to leave it out. For bench/policy/cyclonus/judge, which asks cyclonus.
 *
 *   node bench/policy/random-network-policies.ts SEED COUNT | (cd bench/policy/cyclonus && go run ./judge) > judged.jsonl
 *   weir policy verify judged.jsonl
 */
import { stringify } from "yaml";
import { seededRandom } from "./seeded-random.ts";

type Json = { [key: string]: unknown };
const [seedText = "1", countText = "100"] = process.argv.slice(2);
const { random, pick, some, whole } = seededRandom(Number(seedText));

const NAMESPACES = ["default", "shop", "pay", "infra", "kube-system"];
const LABELS: Readonly<Record<string, readonly string[]>> = {
  app: ["web", "api", "db", ""],
  tier: ["front", "back"],
  "example.com/role": ["admin", ""],
  "v1.2_x": ["A", "a", "0"],
};
const NAMESPACE_LABELS: Readonly<Record<string, readonly string[]>> = {
  env: ["dev", "prod", ""],
  team: ["red", "blue"],
};
const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const PORT_NAMES = ["http", "dns", "metrics", "sig", "a-1", "nosuch"];
const NUMBERS = [1, 53, 79, 80, 81, 443, 3868, 8080, 9090, 32767, 65534, 65535];
const ADDRESSES = {
  4: ["8.8.8.8", "8.8.4.4", "10.0.1.10", "10.0.255.255", "192.168.0.1", "0.0.0.1", "255.255.255.255", "172.16.5.4"],
  6: ["2001:db8::1", "2001:db8:0:1::10", "fd00::1:10", "::1", "fe80::1", "ffff:ffff::ffff"],
};

for (let number = 0; number < Number(countText); number++) {
  const family = random() < 0.3 ? 6 : 4;
  const namespaces = some(NAMESPACES, 1, 4).map((name) => ({
    name,
    labels: { ...labels(NAMESPACE_LABELS), "kubernetes.io/metadata.name": name },
  }));
  const pods = namespaces.flatMap(({ name }, at) =>
    Array.from({ length: whole(1, 4) }, (_, index) => pod(name, at, index, family)),
  );
  const policies = Array.from({ length: whole(1, 6) }, (_, at) =>
    stringify(policy(at, pick(namespaces).name, pods, family)),
  );
  const flows = Array.from({ length: 64 }, () => flow(pods, family)).filter(({ src, dst }) => src !== dst);
  const id = `random-network-policies-${seedText}-${number}`;
  process.stdout.write(`${JSON.stringify({ id, profile: "kubernetes", namespaces, pods, policies, flows })}\n`);
}

interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ip: string;
  readonly ports: readonly { name: string; port: number; protocol: string }[];
}

function labels(from: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(from).flatMap(([key, values]) => (random() < 0.6 ? [[key, pick(values)]] : [])),
  );
}

function pod(namespace: string, at: number, index: number, family: 4 | 6): Pod {
  const ports = some(PORT_NAMES.slice(0, -1), 0, 4).map((name) => ({
    name,
    port: pick(NUMBERS),
    protocol: pick(PROTOCOLS),
  }));
  const taken = new Set<string>();
  const free = ({ port, protocol }: { port: number; protocol: string }) => {
    const key = `${protocol} ${port}`; // cyclonus knows one name a port
    return taken.has(key) ? false : taken.add(key);
  };
  return {
    namespace,
    name: `p${index}`,
    labels: labels(LABELS),
    ip: family === 4 ? `10.0.${at + 1}.${10 + index * 7}` : `fd00::${at + 1}:${(16 + index * 7).toString(16)}`,
    ports: ports.filter(free),
  };
}

function policy(at: number, namespace: string, pods: readonly Pod[], family: 4 | 6): Json {
  const spec: Json = { podSelector: selector(LABELS, 0.35) };
  for (const direction of ["ingress", "egress"]) {
    const draw = random();
    if (draw < 0.12) spec[direction] = [];
    else if (draw < 0.17) spec[direction] = null;
    else if (draw < 0.8)
      spec[direction] = Array.from({ length: whole(1, 4) }, () =>
        rule(direction === "ingress" ? "from" : "to", pods, family),
      );
  }
  const types = pick([
    undefined,
    undefined,
    [],
    null,
    ["Ingress"],
    ["Egress"],
    ["Ingress", "Egress"],
    ["Egress", "Ingress"],
  ]);
  if (types !== undefined) spec["policyTypes"] = types;
  const metadata: Json = { name: `np${at}`, namespace };
  if (namespace === "default" && random() < 0.3) delete metadata["namespace"];
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

function rule(side: string, pods: readonly Pod[], family: 4 | 6): Json {
  const out: Json = {};
  const draw = random();
  if (draw < 0.08) out[side] = pick([[], null]);
  else if (draw < 0.8) out[side] = Array.from({ length: whole(1, 3) }, () => peer(pods, family));
  if (random() < 0.08) out["ports"] = pick([[], null]);
  else if (random() < 0.6) out["ports"] = Array.from({ length: whole(1, 4) }, port);
  return out;
}

function peer(pods: readonly Pod[], family: 4 | 6): Json {
  if (random() < 0.35) return { ipBlock: ipBlock(pods, random() < 0.9 ? family : family === 4 ? 6 : 4) };
  const out: Json = {};
  const draw = random();
  if (draw < 0.7) out["podSelector"] = selector(LABELS, 0.2);
  if (draw > 0.4)
    out["namespaceSelector"] = selector(NAMESPACE_LABELS, 0.25, ["kubernetes.io/metadata.name", NAMESPACES]);
  if (out["podSelector"] === undefined && random() < 0.2) out["podSelector"] = null;
  return out;
}

function selector(
  from: Readonly<Record<string, readonly string[]>>,
  empty: number,
  more?: [string, readonly string[]],
): Json {
  if (random() < empty) return pick([{}, { matchLabels: {} }, { matchExpressions: [] }, { matchLabels: null }]);
  const keys: [string, readonly string[]][] = [...Object.entries(from), ["nosuch", ["x", ""]], ...(more ? [more] : [])];
  const out: Json = {};
  const draw = random();
  if (draw < 0.6)
    out["matchLabels"] = Object.fromEntries(some(keys, 1, 2).map(([key, values]) => [key, pick([...values, "x"])]));
  if (draw > 0.45)
    out["matchExpressions"] = Array.from({ length: whole(1, 3) }, () => {
      const [key, values] = pick(keys);
      const operator = pick(["In", "NotIn", "Exists", "DoesNotExist"]);
      if (operator === "Exists" || operator === "DoesNotExist")
        return { key, operator, ...(random() < 0.2 ? { values: [] } : {}) };
      return { key, operator, values: some([...values, "x"], 1, 3) };
    });
  return out;
}

function ipBlock(pods: readonly Pod[], family: 4 | 6): Json {
  const bits = family === 4 ? 32 : 128;
  const own = pods.map(({ ip }) => ip).filter((ip) => ip.includes(":") === (family === 6));
  const address = pick([...own, ...ADDRESSES[family]]);
  const length = pick([0, 1, 8, 15, 16, 23, 24, 25, 31, 32, 64, 112, 120, 127, 128].filter((it) => it <= bits));
  const block: Json = { cidr: network(address, length, bits) };
  if (random() < 0.5 && length < bits)
    block["except"] = Array.from({ length: whole(1, 3) }, () =>
      network(random() < 0.6 ? address : pick([...own, address]), whole(length + 1, bits), bits),
    ).filter((it) => inside(it, address, length, bits));
  return block;
}

/** True when the block's first address shares its first `length` bits with `address`. */
function inside(cidr: string, address: string, length: number, bits: number): boolean {
  const size = BigInt(bits - length);
  return toNumber(cidr.split("/")[0]!) >> size === toNumber(address) >> size;
}

/** The block of that length which holds the address; now and then with its host bits left in, as the API takes it. */
function network(address: string, length: number, bits: number): string {
  const size = BigInt(bits - length);
  const value = (toNumber(address) >> size) << size;
  return `${random() < 0.3 ? address : toText(value, bits)}/${length}`;
}

function toNumber(address: string): bigint {
  if (!address.includes(":")) return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = "", tail = ""] = address.split("::");
  const parts = (text: string) => (text === "" ? [] : text.split(":"));
  const [front, back] = [parts(head), parts(tail)];
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => "0"), ...back];
  return all.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}

function toText(value: bigint, bits: number): string {
  const size = bits === 32 ? 8n : 16n;
  const parts = Array.from(
    { length: bits / Number(size) },
    (_, at) => (value >> (BigInt(bits) - size * BigInt(at + 1))) & ((1n << size) - 1n),
  );
  return bits === 32 ? parts.join(".") : parts.map((part) => part.toString(16)).join(":");
}

function port(): Json {
  const out: Json = {};
  const draw = random();
  if (draw < 0.35) out["port"] = pick(NUMBERS);
  else if (draw < 0.65) out["port"] = pick(PORT_NAMES);
  else if (draw < 0.85) {
    const first = pick(NUMBERS);
    out["port"] = first;
    out["endPort"] = Math.min(65535, first + pick([0, 1, 2, 100, 8000, 65535]));
  }
  const protocol = pick([undefined, undefined, ...PROTOCOLS, null]);
  if (protocol !== undefined) out["protocol"] = protocol;
  return out;
}

function flow(pods: readonly Pod[], family: 4 | 6): Json {
  const end = () => {
    const { namespace, name } = pick(pods);
    return `${namespace}/${name}`;
  };
  const outside = ADDRESSES[family].filter((address) => pods.every(({ ip }) => ip !== address));
  const draw = random();
  const src = draw < 0.2 ? `ip:${pick(outside)}` : end();
  const dst = draw > 0.8 ? `ip:${pick(outside)}` : end();
  const named = pods.find(({ namespace, name }) => `${namespace}/${name}` === dst)?.ports ?? [];
  if (named.length > 0 && random() < 0.5) {
    const { port: number, protocol } = pick(named);
    return { src, dst, proto: random() < 0.85 ? protocol : pick(PROTOCOLS), port: number };
  }
  const number = Math.max(1, Math.min(65535, pick(NUMBERS) + pick([-1, 0, 0, 0, 1, 2, 101])));
  return { src, dst, proto: pick(PROTOCOLS), port: number };
}

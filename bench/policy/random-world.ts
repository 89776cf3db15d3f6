import type { SeededRandom } from "./seeded-random.ts";

type Json = { [key: string]: unknown };

export interface RandomPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ip: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
}

export interface RandomWorld {
  readonly family: 4 | 6;
  readonly namespaces: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly pods: readonly RandomPod[];
}

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
export const PROTOCOLS = ["TCP", "UDP", "SCTP"];
export const PORT_NAMES = ["http", "dns", "metrics", "sig", "a-1", "nosuch"];
export const PORT_NUMBERS = [1, 53, 79, 80, 81, 443, 3868, 8080, 9090, 32767, 65534, 65535];
const ADDRESSES = {
  4: ["8.8.8.8", "8.8.4.4", "10.0.1.10", "10.0.255.255", "192.168.0.1", "0.0.0.1", "255.255.255.255", "172.16.5.4"],
  6: ["2001:db8::1", "2001:db8:0:1::10", "fd00::1:10", "::1", "fe80::1", "ffff:ffff::ffff"],
};

/** Small worlds whose labels, ports and addresses meet often, and selectors, blocks and flows that meet them. */
export class RandomWorlds {
  readonly #draw: SeededRandom;

  constructor(draw: SeededRandom) {
    this.#draw = draw;
  }

  world(family: 4 | 6): RandomWorld {
    const { some, whole } = this.#draw;
    const namespaces = some(NAMESPACES, 1, 4).map((name) => ({
      name,
      labels: { ...this.#labels(NAMESPACE_LABELS), "kubernetes.io/metadata.name": name },
    }));
    const pods = namespaces.flatMap(({ name }, at) =>
      Array.from({ length: whole(1, 4) }, (_, index) => this.#pod(name, at, index, family)),
    );
    return { family, namespaces, pods };
  }

  podSelector(empty: number): Json {
    return this.#selector(Object.entries(LABELS), empty);
  }

  namespaceSelector(empty: number): Json {
    const names: [string, readonly string[]] = ["kubernetes.io/metadata.name", NAMESPACES];
    return this.#selector([...Object.entries(NAMESPACE_LABELS), names], empty);
  }

  /** A block that holds one of the world's addresses or one outside, now and then of the other family. */
  block({ pods, family: own }: RandomWorld): { cidr: string; except?: string[] } {
    const { random, pick, whole } = this.#draw;
    const family = random() < 0.9 ? own : own === 4 ? 6 : 4;
    const bits = family === 4 ? 32 : 128;
    const known = pods.map(({ ip }) => ip).filter((ip) => ip.includes(":") === (family === 6));
    const address = pick([...known, ...ADDRESSES[family]]);
    const length = pick([0, 1, 8, 15, 16, 23, 24, 25, 31, 32, 64, 112, 120, 127, 128].filter((it) => it <= bits));
    const cidr = this.#network(address, length, bits);
    if (random() < 0.5 || length === bits) return { cidr };
    const except = Array.from({ length: whole(1, 3) }, () =>
      this.#network(random() < 0.6 ? address : pick([...known, address]), whole(length + 1, bits), bits),
    );
    return { cidr, except: except.filter((it) => isInside(it, address, length, bits)) };
  }

  /** Between two pods, or a pod and an address that no pod has; often to a port that the pod names, or beside a bound. */
  flow({ pods, family }: RandomWorld): { src: string; dst: string; proto: string; port: number } {
    const { random, pick } = this.#draw;
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
      const { port, protocol } = pick(named);
      return { src, dst, proto: random() < 0.85 ? protocol : pick(PROTOCOLS), port };
    }
    const port = Math.max(1, Math.min(65535, pick(PORT_NUMBERS) + pick([-1, 0, 0, 0, 1, 2, 101])));
    return { src, dst, proto: pick(PROTOCOLS), port };
  }

  #labels(from: Readonly<Record<string, readonly string[]>>): Record<string, string> {
    const { random, pick } = this.#draw;
    return Object.fromEntries(
      Object.entries(from).flatMap(([key, values]) => (random() < 0.6 ? [[key, pick(values)]] : [])),
    );
  }

  #pod(namespace: string, at: number, index: number, family: 4 | 6): RandomPod {
    const { some, pick } = this.#draw;
    const ports = some(PORT_NAMES.slice(0, -1), 0, 4).map((name) => ({
      name,
      port: pick(PORT_NUMBERS),
      protocol: pick(PROTOCOLS),
    }));
    const taken = new Set<string>();
    const isFree = ({ port, protocol }: { port: number; protocol: string }) => {
      const key = `${protocol} ${port}`; // cyclonus knows one name a port
      return taken.has(key) ? false : taken.add(key);
    };
    return {
      namespace,
      name: `p${index}`,
      labels: this.#labels(LABELS),
      ip: family === 4 ? `10.0.${at + 1}.${10 + index * 7}` : `fd00::${at + 1}:${(16 + index * 7).toString(16)}`,
      ports: ports.filter(isFree),
    };
  }

  #selector(known: readonly (readonly [string, readonly string[]])[], empty: number): Json {
    const { random, pick, some, whole } = this.#draw;
    if (random() < empty) return pick<Json>([{}, { matchLabels: {} }, { matchExpressions: [] }, { matchLabels: null }]);
    const keys = [...known, ["nosuch", ["x", ""]] as const];
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

  /** The block of that length which holds the address; now and then with its host bits left in, as the API takes it. */
  #network(address: string, length: number, bits: number): string {
    const size = BigInt(bits - length);
    const value = (toNumber(address) >> size) << size;
    return `${this.#draw.random() < 0.3 ? address : toText(value, bits)}/${length}`;
  }
}

/** True when the block's first address shares its first `length` bits with `address`. */
function isInside(cidr: string, address: string, length: number, bits: number): boolean {
  const size = BigInt(bits - length);
  return toNumber(cidr.split("/")[0]!) >> size === toNumber(address) >> size;
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

import { PORT_NAMES, PORT_NUMBERS, PROTOCOLS, type RandomWorld, type RandomWorlds } from "./random-world.ts";
import type { SeededRandom } from "./seeded-random.ts";

type Json = { [key: string]: unknown };

/** The API's limit on rules of a direction. */
const MOST_RULES = 100;
const NAMES = ["example.com", "*.example.com", "api.example.com", "*.api.example.com", "other.net"];

/** A ClusterNetworkPolicy v1alpha2 with any of its fields; now and then with as many rules as the API takes. */
export function randomClusterPolicy(draw: SeededRandom, parts: RandomWorlds, at: number, world: RandomWorld): Json {
  const { random, pick, whole } = draw;
  const spec: Json = {
    tier: random() < 0.7 ? "Admin" : "Baseline",
    priority: random() < 0.1 ? pick([0, 1000]) : whole(0, 6),
    subject: random() < 0.5 ? { namespaces: parts.namespaceSelector(0.4) } : { pods: pods(draw, parts, 0.4) },
  };
  for (const direction of ["ingress", "egress"]) {
    const chance = random();
    if (chance < 0.06) spec[direction] = [];
    else if (chance < 0.75) {
      const count = random() < 0.03 ? MOST_RULES : whole(1, 6);
      spec[direction] = Array.from({ length: count }, (_, index) =>
        rule(draw, parts, direction === "egress", index, world),
      );
    }
  }
  const metadata = { name: `cnp${at}` };
  return { apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", metadata, spec };
}

function pods({ random }: SeededRandom, parts: RandomWorlds, empty: number): Json {
  const out: Json = { podSelector: parts.podSelector(empty) };
  out["namespaceSelector"] = random() < empty ? {} : parts.namespaceSelector(empty);
  return out;
}

function rule(draw: SeededRandom, parts: RandomWorlds, egress: boolean, index: number, world: RandomWorld): Json {
  const { random, pick, whole } = draw;
  const names = egress && random() < 0.12;
  const out: Json = {
    action: names ? "Accept" : pick(["Accept", "Accept", "Deny", "Deny", "Pass"]),
    [egress ? "to" : "from"]: Array.from({ length: whole(1, 3) }, () => peer(draw, parts, egress, names, world)),
  };
  if (random() < 0.4) out["name"] = `r${index}`;
  if (random() < 0.6) out["protocols"] = Array.from({ length: whole(1, 4) }, () => protocol(draw));
  return out;
}

function peer(draw: SeededRandom, parts: RandomWorlds, egress: boolean, names: boolean, world: RandomWorld): Json {
  const { random, some, whole } = draw;
  if (names && random() < 0.6) return { domainNames: some(NAMES, 1, 3) };
  if (egress && random() < 0.3)
    return { networks: [...new Set(Array.from({ length: whole(1, 4) }, () => parts.block(world).cidr))] };
  return random() < 0.5 ? { namespaces: parts.namespaceSelector(0.25) } : { pods: pods(draw, parts, 0.25) };
}

function protocol({ random, pick }: SeededRandom): Json {
  if (random() < 0.3) return { destinationNamedPort: pick(PORT_NAMES) };
  const name = pick(PROTOCOLS).toLowerCase();
  const chance = random();
  if (chance < 0.15) return { [name]: {} };
  if (chance < 0.55) return { [name]: { destinationPort: { number: pick(PORT_NUMBERS) } } };
  const start = pick(PORT_NUMBERS);
  const end = Math.min(65535, start + pick([0, 1, 2, 100, 8000, 65535]));
  return { [name]: { destinationPort: { range: { start, end } } } };
}

import { PORT_NAMES, PORT_NUMBERS, PROTOCOLS, type RandomWorld, type RandomWorlds } from "./random-world.ts";
import type { SeededRandom } from "./seeded-random.ts";

type Json = { [key: string]: unknown };

/** A NetworkPolicy v1 with any of its fields, and each left out, empty or null now and then. */
export function randomNetworkPolicy(draw: SeededRandom, parts: RandomWorlds, at: number, world: RandomWorld): Json {
  const { random, pick, whole } = draw;
  const namespace = pick(world.namespaces).name;
  const spec: Json = { podSelector: parts.podSelector(0.35) };
  for (const direction of ["ingress", "egress"]) {
    const chance = random();
    const side = direction === "ingress" ? "from" : "to";
    if (chance < 0.12) spec[direction] = [];
    else if (chance < 0.17) spec[direction] = null;
    else if (chance < 0.8) spec[direction] = Array.from({ length: whole(1, 4) }, () => rule(draw, parts, side, world));
  }
  const both = ["Ingress", "Egress"];
  const types = pick([undefined, undefined, [], null, ["Ingress"], ["Egress"], both, both.toReversed()]);
  if (types !== undefined) spec["policyTypes"] = types;
  const metadata: Json = { name: `np${at}`, namespace };
  if (namespace === "default" && random() < 0.3) delete metadata["namespace"];
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

function rule(draw: SeededRandom, parts: RandomWorlds, side: string, world: RandomWorld): Json {
  const { random, pick, whole } = draw;
  const out: Json = {};
  const chance = random();
  if (chance < 0.08) out[side] = pick([[], null]);
  else if (chance < 0.8) out[side] = Array.from({ length: whole(1, 3) }, () => peer(draw, parts, world));
  if (random() < 0.08) out["ports"] = pick([[], null]);
  else if (random() < 0.6) out["ports"] = Array.from({ length: whole(1, 4) }, () => port(draw));
  return out;
}

function peer({ random }: SeededRandom, parts: RandomWorlds, world: RandomWorld): Json {
  if (random() < 0.35) return { ipBlock: parts.block(world) };
  const out: Json = {};
  const chance = random();
  if (chance < 0.7) out["podSelector"] = parts.podSelector(0.2);
  if (chance > 0.4) out["namespaceSelector"] = parts.namespaceSelector(0.25);
  if (out["podSelector"] === undefined && random() < 0.2) out["podSelector"] = null;
  return out;
}

function port({ random, pick }: SeededRandom): Json {
  const out: Json = {};
  const chance = random();
  if (chance < 0.35) out["port"] = pick(PORT_NUMBERS);
  else if (chance < 0.65) out["port"] = pick(PORT_NAMES);
  else if (chance < 0.85) {
    const first = pick(PORT_NUMBERS);
    out["port"] = first;
    out["endPort"] = Math.min(65535, first + pick([0, 1, 2, 100, 8000, 65535]));
  }
  const protocol = pick([undefined, undefined, ...PROTOCOLS, null]);
  if (protocol !== undefined) out["protocol"] = protocol;
  return out;
}

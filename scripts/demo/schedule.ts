import { between, pick, randomOf, wholeOf, type Random } from "./random.ts";
import { LOOKUPS, TRAFFIC, type Traffic } from "./traffic.ts";
import { SERVICES, WORKLOADS, workload, workloadOfReplica } from "./shop.ts";

/** One request and its answer; `afterMs` counts from the connection's start. */
export interface Exchange {
  readonly afterMs: number;
  readonly up: number;
  readonly down: number;
}

/** Something that one replica does, once. `atMs` counts from the start of traffic. */
export type Action =
  | {
      readonly kind: "connect";
      readonly atMs: number;
      readonly traffic: string;
      readonly family: 4 | 6;
      /** An address, or the name to ask for first; then `pickAnswer` chooses among the answers. */
      readonly target:
        { readonly address: string } | { readonly name: string; readonly server: string; readonly pickAnswer: number };
      readonly port: number;
      readonly speaks: "http" | "frames";
      readonly limitMs: number;
      readonly exchanges: readonly Exchange[];
      /** The server is asked to reset instead of answering. */
      readonly reset: boolean;
      /** When the client closes, from the connection's start; 0 = after the last answer. */
      readonly closeAfterMs: number;
    }
  | {
      readonly kind: "datagram";
      readonly atMs: number;
      readonly traffic: string;
      readonly family: 4 | 6;
      readonly address: string;
      readonly port: number;
      readonly size: number;
      readonly count: number;
    }
  | {
      readonly kind: "lookup";
      readonly atMs: number;
      readonly family: 4 | 6;
      readonly name: string;
      readonly server: string;
    };

export interface Plan {
  readonly seed: number;
  /** From here on cart talks to ledger (the edge that is new). */
  readonly newFromSeconds: number;
  /** From here on web no longer talks to cache (the edge that is gone). */
  readonly goneFromSeconds: number;
}

/** The plan of a seed. A check is short, so its news come early. */
export function planOf(seed: number, short: boolean): Plan {
  const random = randomOf(seed, "plan");
  const at = short ? 6 : 90;
  return { seed, newFromSeconds: at + between(random, 0, 4), goneFromSeconds: at + between(random, 0, 4) };
}

/** Everything that `replica` does in `second` (0 = the first), in order of time. Depends on the arguments alone. */
export function actionsIn(plan: Plan, replica: string, second: number): Action[] {
  const from = workloadOfReplica(replica);
  const actions: Action[] = [];
  for (const traffic of TRAFFIC) {
    if (traffic.from !== from.name) continue;
    if (traffic.fault === "new" && second < plan.newFromSeconds) continue;
    if (traffic.fault === "gone" && second >= plan.goneFromSeconds) continue;
    if (traffic.pool !== undefined) actions.push(...pooled(plan, traffic, replica, second));
    else {
      const random = randomOf(plan.seed, traffic.id, replica, second);
      const rate = traffic.rate / from.replicas.length;
      const extra = wholeOf(random, rate * (burstFactor(plan, traffic, second) - 1));
      const count = steady(randomOf(plan.seed, traffic.id, replica), rate, second) + extra;
      for (let i = 0; i < count; i++) actions.push(once(random, traffic, second));
    }
  }
  for (const lookups of LOOKUPS) {
    if (lookups.from !== from.name) continue;
    const random = randomOf(plan.seed, "lookup", lookups.names[0]!, replica, second);
    const count = steady(
      randomOf(plan.seed, "lookup", lookups.names[0]!, replica),
      lookups.rate / from.replicas.length,
      second,
    );
    for (let i = 0; i < count; i++) {
      const family = random() < 0.3 ? 6 : 4;
      actions.push({
        kind: "lookup",
        atMs: moment(random, second),
        family,
        name: pick(random, lookups.names),
        server: dnsServer(random),
      });
    }
  }
  return actions.toSorted((a, b) => a.atMs - b.atMs);
}

/** How many times its usual rate an edge has in `second`: `factor` for three seconds out of each period, else 1. */
export function burstFactor(plan: Plan, traffic: Traffic, second: number): number {
  if (traffic.burst === undefined) return 1;
  const { periodSeconds, factor } = traffic.burst;
  const start = between(
    randomOf(plan.seed, "burst", traffic.id, Math.floor(second / periodSeconds)),
    0,
    periodSeconds - 3,
  );
  const within = second % periodSeconds;
  return within >= start && within < start + 3 ? factor : 1;
}

/** When a replica that flaps does not listen: [from, to) in ms from the start of traffic, the `round`th time. */
export function flapOf(
  plan: Plan,
  replica: string,
  round: number,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  if (replica !== "payments-1") return undefined;
  const random = randomOf(plan.seed, "flap", replica, round);
  const fromMs = round * 15_000 + between(random, 3000, 11_000);
  return { fromMs, toMs: fromMs + between(random, 900, 1800) };
}

/** How many of `rate` a second fall into `second`: evenly spread, so that what is rare still comes in time; the phase is random. */
function steady(random: Random, rate: number, second: number): number {
  const phase = random();
  return Math.floor(rate * (second + 1) + phase) - Math.floor(rate * second + phase);
}

function once(random: Random, traffic: Traffic, second: number): Action {
  const atMs = moment(random, second);
  const family = random() < traffic.v6 ? 6 : 4;
  if (traffic.speaks === "udp") {
    return {
      kind: "datagram",
      atMs,
      traffic: traffic.id,
      family,
      address: addressOf(random, traffic.to, family),
      port: traffic.port,
      size: between(random, ...traffic.up),
      count: traffic.salvo ?? 1,
    };
  }
  const exchange = { afterMs: 0, up: between(random, ...traffic.up), down: between(random, ...traffic.down) };
  return connection(random, traffic, atMs, family, [exchange], 0);
}

/** A pool's connections that start in this second: each slot opens one, keeps it for its life and opens the next. */
function* pooled(plan: Plan, traffic: Traffic, replica: string, second: number): Generator<Action> {
  const { size, lifeSeconds, requestsPerSecond } = traffic.pool!;
  for (let slot = 0; slot < size; slot++) {
    let startMs = between(randomOf(plan.seed, traffic.id, replica, slot, "start"), 0, 900);
    for (let round = 0; startMs < (second + 1) * 1000; round++) {
      const random = randomOf(plan.seed, traffic.id, replica, slot, round);
      const lifeMs = between(random, lifeSeconds[0] * 1000, lifeSeconds[1] * 1000);
      if (startMs >= second * 1000) {
        const family = random() < traffic.v6 ? 6 : 4;
        const exchanges: Exchange[] = [];
        for (
          let afterMs = 0;
          afterMs < lifeMs - 200;
          afterMs += between(random, 400 / requestsPerSecond, 1600 / requestsPerSecond)
        ) {
          exchanges.push({ afterMs, up: between(random, ...traffic.up), down: between(random, ...traffic.down) });
        }
        yield connection(random, traffic, startMs, family, exchanges, lifeMs);
      }
      startMs += lifeMs + 20;
    }
  }
}

function connection(
  random: Random,
  traffic: Traffic,
  atMs: number,
  family: 4 | 6,
  exchanges: readonly Exchange[],
  closeAfterMs: number,
): Action {
  const target = traffic.to.startsWith("name:")
    ? { name: traffic.to.slice(5), server: dnsServer(random), pickAnswer: between(random, 0, 11) }
    : { address: addressOf(random, traffic.to, family) };
  const reset = random() < (traffic.resets ?? 0);
  const { port, limitMs } = traffic;
  const speaks = traffic.speaks === "frames" ? "frames" : "http";
  return {
    kind: "connect",
    atMs,
    traffic: traffic.id,
    family,
    target,
    port,
    speaks,
    limitMs,
    exchanges,
    reset,
    closeAfterMs,
  };
}

function moment(random: Random, second: number): number {
  return second * 1000 + Math.floor(random() * 1000);
}

function addressOf(random: Random, to: string, family: 4 | 6): string {
  if (to.startsWith("service:")) {
    const service = SERVICES.find((one) => one.name === to.slice(8));
    if (service === undefined) throw new Error(`the shop has no ${to}`);
    return family === 4 ? service.v4 : service.v6;
  }
  const target = WORKLOADS.find((one) => one.name === to);
  if (target === undefined) return to;
  const replica = pick(random, target.replicas);
  return pick(random, family === 4 ? replica.v4 : replica.v6);
}

/** The address of one of the shop's DNS servers; they are asked over IPv6 now and then, whatever is asked for. */
function dnsServer(random: Random): string {
  const replica = pick(random, workload("dns").replicas);
  return random() < 0.2 ? replica.v6[0]! : replica.v4[0]!;
}

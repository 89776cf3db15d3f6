import { SLOTS, TIER, type EntryAction, type PortMatch, type Tier } from "../compile/entry.ts";

/** An entry that applies to a pair of sides, its named ports resolved. `ports` undefined = everything. */
export interface AppliedEntry {
  readonly id: number;
  readonly tier: Tier;
  readonly level: number;
  readonly action: EntryAction;
  readonly redirect: number;
  readonly auth: number | undefined;
  readonly ports: readonly PortRange[] | undefined;
  /** True where the rule names its peers: such a key has an identity of its own in Cilium's map. */
  readonly namesPeer: boolean;
}
export interface PortRange {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** What decides one port of one slot. `entry` −1: nothing matched and the default decides. */
export interface Outcome {
  readonly denied: boolean;
  readonly redirect: boolean;
  /** Index into AUTH_MODES. */
  readonly auth: number;
  readonly entry: number;
}

export interface DecideOptions {
  /** What holds when no entry decides. */
  readonly defaultDenied: boolean;
  /** The default decides before the baseline's entries are asked. */
  readonly defaultBeforeBaseline: boolean;
  readonly authInUse: boolean;
}

/** Order of entries: tier, level, then deny, redirects by priority, allow, pass (Cilium's precedence within a level). */
export function compareEntries(
  a: { tier: number; level: number; action: EntryAction; redirect: number },
  b: { tier: number; level: number; action: EntryAction; redirect: number },
): number {
  return a.tier - b.tier || a.level - b.level || rank(b) - rank(a);
}

function rank(entry: { action: EntryAction; redirect: number }): number {
  if (entry.action === "deny") return 1000;
  return entry.action === "pass" ? 0 : 1 + entry.redirect;
}

/** The outcome for one port, from entries in `compareEntries` order. */
export function decidePort(
  entries: readonly AppliedEntry[],
  slot: number,
  port: number,
  options: DecideOptions,
): Outcome {
  let passed = -1;
  let winner: AppliedEntry | undefined;
  for (const entry of entries) {
    if (entry.tier === passed) continue;
    if (entry.tier === TIER.baseline && options.defaultDenied && options.defaultBeforeBaseline) break;
    if (!covers(entry, slot, port)) continue;
    if (entry.action === "pass") passed = entry.tier;
    else {
      winner = entry;
      break;
    }
  }
  if (winner === undefined) return { denied: options.defaultDenied, redirect: false, auth: 0, entry: -1 };
  if (winner.action === "deny") return { denied: true, redirect: false, auth: 0, entry: winner.id };
  const auth = options.authInUse ? authOf(entries, slot, port) : 0;
  return { denied: false, redirect: winner.redirect > 0, auth, entry: winner.id };
}

/** Whether an entry takes in a port. */
export function covers(entry: { ports: readonly PortRange[] | undefined }, slot: number, port: number): boolean {
  if (entry.ports === undefined) return true;
  return entry.ports.some((range) => range.slot === slot && range.from <= port && port <= range.to);
}

/**
 * Which authentication the deciding entry asks for (0 none), as Cilium 1.20's map has it: keys with the peer's identity and keys
 * for everybody form two tables; in each the most specific key of those that survive holds, an explicit mode is kept, else that of
 * the nearest broader key with an explicit one is derived; of the two tables the higher precedence wins, at equal precedence the
 * mode of the other is taken over when ours is derived and lower. (pkg/policy/mapstate.go: authPreferredInsert, lookup.)
 */
function authOf(entries: readonly AppliedEntry[], slot: number, port: number): number {
  const everybodysKeys = tableKeys(entries, false, slot, port);
  // A key of the peer's that says what everybody's key of the same ports says is not stored (mapstate.go: aggregateIsEquivalent).
  const ownKeys = tableKeys(entries, true, slot, port).filter(
    (own) => !everybodysKeys.some((key) => isSameKey(own, key)),
  );
  const own = foundAmong(ownKeys);
  const everybody = foundAmong(everybodysKeys);
  if (own === undefined || everybody === undefined) return (own ?? everybody)?.auth ?? 0;
  if (own.rank !== everybody.rank || own.level !== everybody.level || own.tier !== everybody.tier)
    return compareEntries(winnerLike(own), winnerLike(everybody)) < 0 ? own.auth : everybody.auth;
  const [kept, other] = own.prefix > everybody.prefix ? [everybody, own] : [own, everybody];
  return !kept.explicit && other.auth > kept.auth ? other.auth : kept.auth;
}

interface TableEntry {
  readonly tier: Tier;
  readonly level: number;
  readonly rank: number;
  readonly redirect: number;
  readonly auth: number;
  readonly explicit: boolean;
  readonly prefix: number;
}

function winnerLike(entry: TableEntry): { tier: number; level: number; action: EntryAction; redirect: number } {
  return {
    tier: entry.tier,
    level: entry.level,
    action: entry.rank === 1000 ? "deny" : "allow",
    redirect: entry.redirect,
  };
}

function isSameKey(a: TableEntry, b: TableEntry): boolean {
  const alike = a.tier === b.tier && a.level === b.level && a.rank === b.rank && a.redirect === b.redirect;
  return alike && a.prefix === b.prefix && a.auth === b.auth && a.explicit === b.explicit;
}

/** One table's keys for a port, those of one prefix merged: of rules that name the peer, or of those about everybody. */
function tableKeys(entries: readonly AppliedEntry[], namesPeer: boolean, slot: number, port: number): TableEntry[] {
  const keys: TableEntry[] = [];
  for (const entry of entries) {
    if (entry.namesPeer !== namesPeer || entry.action === "pass" || !covers(entry, slot, port)) continue;
    const explicit = entry.auth !== undefined;
    const { tier, level, redirect } = entry;
    const prefix = prefixAt(entry.ports, slot, port);
    const key = { tier, level, redirect, rank: rank(entry), auth: entry.auth ?? 0, explicit, prefix };
    const same = keys.findIndex((known) => known.prefix === prefix);
    if (same < 0) keys.push(key);
    else keys[same] = mergeKeys(keys[same]!, key);
  }
  return keys;
}

/** The key that a look-up finds in one of the two tables, with the mode that it ends up with. */
function foundAmong(keys: readonly TableEntry[]): TableEntry | undefined {
  if (keys.length === 0) return undefined;
  const best = keys.reduce((a, b) => (compareEntries(winnerLike(a), winnerLike(b)) <= 0 ? a : b));
  // Broader keys of higher precedence take narrower ones out, unless those ask for a mode themselves: they are lifted instead.
  const survivors = keys.filter(
    (key) =>
      (key.explicit && key.rank !== 1000 && best.rank !== 1000) ||
      !keys.some((broad) => broad.prefix < key.prefix && compareEntries(winnerLike(broad), winnerLike(key)) < 0),
  );
  const found = survivors.reduce((a, b) => (b.prefix > a.prefix ? b : a));
  const lifted = { ...found, tier: best.tier, level: best.level, rank: best.rank, redirect: best.redirect };
  if (found.explicit) return lifted;
  const broader = survivors.filter(
    (key) => key.explicit && key.prefix < found.prefix && key.level <= found.level && key.tier <= found.tier,
  );
  if (broader.length === 0) return lifted;
  return { ...lifted, auth: broader.reduce((a, b) => (b.prefix > a.prefix ? b : a)).auth };
}

/** Two entries on one key: a redirect's precedence, explicit modes before derived ones, the higher of two alike. */
function mergeKeys(a: TableEntry, b: TableEntry): TableEntry {
  const first = compareEntries(winnerLike(a), winnerLike(b)) <= 0 ? a : b;
  if (a.tier !== b.tier || a.level !== b.level || a.rank === 1000 || b.rank === 1000) return first;
  const auth = a.explicit === b.explicit ? Math.max(a.auth, b.auth) : a.explicit ? a.auth : b.auth;
  return { ...first, auth, explicit: a.explicit || b.explicit };
}

/** Length of the key's prefix: 0 for every protocol, 8 for a protocol, up to 24 with a port (ranges split into aligned blocks). */
function prefixAt(ports: readonly PortRange[] | undefined, slot: number, port: number): number {
  if (ports === undefined) return 0;
  let longest = 0;
  for (const range of ports) {
    if (range.slot !== slot || port < range.from || port > range.to) continue;
    longest = Math.max(
      longest,
      8 + (range.from === 0 && range.to === 65535 ? 0 : blockLength(range.from, range.to, port)),
    );
  }
  return longest;
}

/** Prefix length of the aligned block that holds `port` when from–to is split into as few aligned blocks as can be. */
function blockLength(from: number, to: number, port: number): number {
  for (let length = 0; length <= 16; length++) {
    const size = 1 << (16 - length);
    const start = port - (port % size);
    if (start >= from && start + size - 1 <= to) return length;
  }
  return 16;
}

/** Upper bounds of intervals in which no entry changes, for one slot; the last is 65535. */
export function boundaries(entries: readonly AppliedEntry[], slot: number, fine: boolean): number[] {
  const upper = new Set<number>([65535]);
  for (const { ports } of entries)
    for (const range of ports ?? []) {
      if (range.slot !== slot) continue;
      if (range.from > 0) upper.add(range.from - 1);
      upper.add(range.to);
      if (fine)
        for (let at = range.from; at <= range.to;) {
          const size = 1 << (16 - blockLength(range.from, range.to, at));
          upper.add(at + size - 1);
          at += size;
        }
    }
  return [...upper].sort((a, b) => a - b);
}

/** Ports with names resolved; a name that stands for nothing here drops out. */
export function resolvePorts(
  ports: readonly PortMatch[] | undefined,
  named: (name: string, slot: number) => readonly number[],
): readonly PortRange[] | undefined {
  return ports?.flatMap((port): PortRange[] =>
    port.kind === "range" ? [port] : named(port.name, port.slot).map((at) => ({ slot: port.slot, from: at, to: at })),
  );
}

export const ALL_SLOTS: readonly number[] = Array.from({ length: SLOTS.count }, (_, slot) => slot);

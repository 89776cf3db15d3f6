/** Who there is: identities by their labels' hash, and parties (an identity, one endpoint of it, the name it was looked up by). */
import { createHash } from "node:crypto";
import { WeirError } from "../../model/errors.ts";
import {
  canonicalLabels,
  identityId,
  reservedIdentity,
  type Identity,
  type IdentityId,
  type IdentityKind,
  type Labels,
  type ReservedName,
} from "../../model/identity.ts";
import type { InventoryKind } from "../../model/wire/inventory.ts";

/** The form on the map; "" = by the identity's kind. */
export type Shape = InventoryKind | "";

export interface KnownIdentity extends Identity {
  readonly shape: Shape;
  readonly idLow: number;
  readonly idHigh: number;
}

export interface Party {
  readonly index: number;
  readonly identity: KnownIdentity;
  readonly endpoint: string;
  /** DNS name, "" when unknown. */
  readonly name: string;
}

/** Two different sets of labels have the same hash, or a hash falls among the reserved numbers. */
export class IdentityCollision extends WeirError {}

/** The id of a set of labels: the first 8 bytes of SHA-256 over their canonical text, big endian. The same everywhere, without asking anybody. */
export function hashLabels(labels: Labels): bigint {
  return createHash("sha256").update(canonicalLabels(labels)).digest().readBigUInt64BE(0);
}

/** Reserved for model/identity.ts's RESERVED. */
const RESERVED_LIMIT = 256n;

/** Parties that may be known at once; outside names are no longer told apart beyond it (they are `world` then). */
export const MAX_PARTIES = 200_000;

export class Identities {
  readonly #hash: (labels: Labels) => bigint;
  readonly #byId = new Map<IdentityId, KnownIdentity>();
  readonly #byLabels = new Map<string, KnownIdentity>();
  readonly #parties: Party[] = [];
  readonly #partyByKey = new Map<string, Party>();
  /** Identities not yet written to the store. */
  #fresh: KnownIdentity[] = [];

  constructor(hash: (labels: Labels) => bigint = hashLabels) {
    this.#hash = hash;
    this.party(this.reserved("unknown"), "", ""); // party 0
  }

  reserved(name: ReservedName): KnownIdentity {
    const identity = reservedIdentity(name);
    const known = this.#byId.get(identity.id);
    if (known !== undefined) return known;
    return this.#keep(
      { ...identity, shape: "", idLow: Number(identity.id), idHigh: 0 },
      canonicalLabels(identity.labels),
    );
  }

  /** The identity of these labels. Throws IdentityCollision rather than taking two for one. */
  identity(kind: IdentityKind, shape: Shape, namespace: string, workload: string, labels: Labels): KnownIdentity {
    const text = canonicalLabels(labels);
    const known = this.#byLabels.get(text);
    if (known !== undefined) return known;
    const hash = this.#hash(labels);
    const id = identityId(hash.toString());
    const other = this.#byId.get(id);
    if (hash < RESERVED_LIMIT || other !== undefined) {
      throw new IdentityCollision({
        code: "identity-collision",
        what: `the labels of ${namespace}/${workload} have the same 64-bit hash as ${other === undefined ? "a reserved identity" : `those of ${other.namespace}/${other.workload}`}`,
        next: "give one of them another label in the inventory",
      });
    }
    return this.#keep(
      { id, kind, shape, namespace, workload, labels, idLow: Number(hash & 0xffffffffn), idHigh: Number(hash >> 32n) },
      text,
    );
  }

  party(identity: KnownIdentity, endpoint: string, name: string): Party {
    const key = `${identity.id} ${endpoint}\u0000${name}`;
    const known = this.#partyByKey.get(key);
    if (known !== undefined) return known;
    if (this.#parties.length >= MAX_PARTIES) return this.#parties[0]!;
    const party = { index: this.#parties.length, identity, endpoint, name };
    this.#parties.push(party);
    this.#partyByKey.set(key, party);
    return party;
  }

  /** The party of an index that `party` gave. */
  at(index: number): Party {
    return this.#parties[index] ?? this.#parties[0]!;
  }

  get parties(): number {
    return this.#parties.length;
  }

  labelsOf(id: string): Labels | undefined {
    return this.#byId.get(id as IdentityId)?.labels;
  }

  all(): IterableIterator<KnownIdentity> {
    return this.#byId.values();
  }

  /** Identities that are new since the last call. */
  takeFresh(): KnownIdentity[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  #keep(identity: KnownIdentity, text: string): KnownIdentity {
    this.#byId.set(identity.id, identity);
    this.#byLabels.set(text, identity);
    this.#fresh.push(identity);
    return identity;
  }
}

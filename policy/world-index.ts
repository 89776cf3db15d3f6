import { isV4, parseAddress, type AddressBytes } from "../model/address.ts";
import type { Family, Side, World, WorldEndpoint, WorldNamespace } from "./world.ts";

/** A side's number in a `WorldIndex`: endpoints first, in order, then addresses and entities as they are asked for. */
export type SideId = number;

export type IndexedSide =
  /** `index` counts in the world's endpoints; several sides share it where one stands for a pod's traffic of one IP version. */
  | { readonly kind: "endpoint"; readonly endpoint: WorldEndpoint; readonly index: number }
  | { readonly kind: "address"; readonly address: string; readonly bytes: AddressBytes }
  | { readonly kind: "entity"; readonly entity: string };

/**
 * A world made ready for look-ups, shared by every policy set compiled against it: sides have the same numbers in all of them,
 * so that today's set and a candidate are asked the same question.
 */
export class WorldIndex {
  readonly world: World;
  readonly namespaces: ReadonlyMap<string, WorldNamespace>;
  readonly #sides: IndexedSide[] = [];
  readonly #byKey = new Map<string, SideId>();
  readonly #endpoints: WorldEndpoint[] = [];
  readonly #endpointSides: SideId[] = [];
  readonly #endpointByName = new Map<string, SideId>();
  readonly #endpointByAddress = new Map<string, SideId>();

  constructor(world: World) {
    this.world = world;
    this.namespaces = new Map(world.namespaces.map((namespace) => [namespace.name, namespace]));
    for (const endpoint of world.endpoints) this.add(endpoint);
  }

  /** By endpoint: its side. */
  get endpointSides(): readonly SideId[] {
    return this.#endpointSides;
  }

  /** The world's, and those that came since. */
  get endpoints(): readonly WorldEndpoint[] {
    return this.#endpoints;
  }

  /** A pod that came since: its side stands behind those that are known. Compiled sets take it in when they are next asked. */
  add(endpoint: WorldEndpoint): SideId {
    const id = this.#sides.length;
    this.#sides.push({ kind: "endpoint", endpoint, index: this.#endpoints.push(endpoint) - 1 });
    this.#endpointSides.push(id);
    this.#endpointByName.set(`${endpoint.namespace}/${endpoint.name}`, id);
    for (const address of endpoint.addresses) {
      const bytes = parseAddress(address);
      if (bytes !== undefined && endpoint.hostNetwork !== true) this.#endpointByAddress.set(bytes.join("."), id);
    }
    return id;
  }

  get size(): number {
    return this.#sides.length;
  }

  /** What a number stands for. Throws for a number that this index never gave. */
  side(id: SideId): IndexedSide {
    const side = this.#sides[id];
    if (side === undefined) throw new Error(`no side has number ${id}`);
    return side;
  }

  /** A side's number, or undefined when an address is none or an endpoint does not exist. An endpoint's own address is that endpoint. */
  idOf(side: Side): SideId | undefined {
    if (side.kind === "endpoint") {
      const id = this.#endpointSides[side.index];
      return id === undefined ? undefined : this.ofFamily(id, side.family);
    }
    if (side.kind === "entity")
      return this.#intern(`entity ${side.entity}`, () => ({ kind: "entity", entity: side.entity }));
    const bytes = parseAddress(side.address);
    if (bytes === undefined) return undefined;
    const key = bytes.join(".");
    const known = this.#endpointByAddress.get(key);
    return known ?? this.#intern(key, () => ({ kind: "address", address: side.address, bytes }));
  }

  /** A side as an end of traffic of one IP version: of an endpoint with other addresses too, a side that has only those of that version. */
  ofFamily(id: SideId, family: Family | undefined): SideId {
    const side = this.#sides[id];
    if (family === undefined || side?.kind !== "endpoint") return id;
    const { endpoint, index } = side;
    const own = endpoint.addresses.filter((address) => familyOf(address) === family);
    if (own.length === endpoint.addresses.length) return id;
    return this.#intern(`endpoint ${index} family ${family}`, () => ({
      kind: "endpoint",
      endpoint: { ...endpoint, addresses: own },
      index,
    }));
  }

  /** The endpoint `namespace/name`, or undefined. */
  endpointNamed(namespace: string, name: string): SideId | undefined {
    return this.#endpointByName.get(`${namespace}/${name}`);
  }

  /** What `Side.index` is for the endpoint `namespace/name`, or undefined. */
  endpointNumber(namespace: string, name: string): number | undefined {
    const side = this.#sides[this.endpointNamed(namespace, name) ?? -1];
    return side?.kind === "endpoint" ? side.index : undefined;
  }

  /** The endpoint that has this address, or undefined. */
  endpointAt(bytes: AddressBytes): SideId | undefined {
    return this.#endpointByAddress.get(bytes.join("."));
  }

  #intern(key: string, make: () => IndexedSide): SideId {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const id = this.#sides.length;
    this.#sides.push(make());
    this.#byKey.set(key, id);
    return id;
  }
}

/** The IP version of an address, or undefined for what is none. */
export function familyOf(address: string): Family | undefined {
  const bytes = parseAddress(address);
  return bytes === undefined ? undefined : isV4(bytes) ? 4 : 6;
}

/** The inventory as look-ups, and its versions over time: an event is named by the inventory that was in force when it happened. */
import { cidrContains } from "../../model/address.ts";
import type { KnownEntry } from "./inventory.ts";
import type { CgroupFacts } from "./cgroups.ts";

export class InventoryIndex {
  readonly entries: readonly KnownEntry[];
  readonly #addresses = new Map<string, KnownEntry>();
  readonly #services = new Map<string, KnownEntry>();
  readonly #blocks: readonly KnownEntry[];
  readonly #near: Readonly<
    Record<"netns" | "container" | "unit" | "process" | "cgroup", ReadonlyMap<string, KnownEntry>>
  >;

  constructor(entries: readonly KnownEntry[]) {
    this.entries = entries;
    for (const known of entries) {
      for (const address of known.addresses) {
        const key = addressText(address);
        if (known.entry.kind === "service" && known.entry.ports.length > 0) {
          for (const { port, protocol } of known.entry.ports)
            this.#services.set(`${key} ${port} ${PROTOCOL_NUMBERS[protocol]}`, known);
        } else this.#addresses.set(key, known);
      }
    }
    this.#blocks = entries
      .filter((known) => known.cidr !== undefined)
      .toSorted((a, b) => (b.cidr?.bits ?? 0) - (a.cidr?.bits ?? 0)); // the longest block wins
    const by = (selector: "netns" | "container" | "unit" | "process" | "cgroup") =>
      new Map(
        entries.flatMap((known) =>
          known.entry[selector] === undefined ? [] : [[String(known.entry[selector]), known] as const],
        ),
      );
    this.#near = {
      netns: by("netns"),
      container: by("container"),
      unit: by("unit"),
      process: by("process"),
      cgroup: by("cgroup"),
    };
  }

  /** The service whose address and port a client called, or undefined. */
  service(address: Uint8Array, port: number, protocol: number): KnownEntry | undefined {
    const key = addressText(address);
    const found = this.#services.get(`${key} ${port} ${protocol}`);
    if (found !== undefined) return found;
    const whole = this.#addresses.get(key);
    return whole?.entry.kind === "service" ? whole : undefined;
  }

  address(address: Uint8Array): KnownEntry | undefined {
    return this.#addresses.get(addressText(address));
  }

  block(address: Uint8Array): KnownEntry | undefined {
    return this.#blocks.find((known) => known.cidr !== undefined && cidrContains(known.cidr, address));
  }

  netns(name: string, inode: number): KnownEntry | undefined {
    return (name === "" ? undefined : this.#near.netns.get(name)) ?? this.#near.netns.get(String(inode));
  }

  /** By container (name, or the beginning of its id), then cgroup (itself or one above), then unit. */
  cgroup(facts: CgroupFacts, containerName: string): KnownEntry | undefined {
    if (facts.container !== "") {
      const named = this.#near.container.get(containerName);
      if (named !== undefined) return named;
      for (const [prefix, known] of this.#near.container)
        if (prefix.length >= 8 && facts.container.startsWith(prefix)) return known;
    }
    if (this.#near.cgroup.size > 0) {
      for (let path = facts.path; path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
        const known = this.#near.cgroup.get(path);
        if (known !== undefined) return known;
      }
    }
    if (facts.unit === "") return undefined;
    return this.#near.unit.get(facts.unit) ?? this.#near.unit.get(facts.unit.replace(/\.service$/, ""));
  }

  process(comm: string): KnownEntry | undefined {
    return comm === "" ? undefined : this.#near.process.get(comm);
  }
}

/** Earlier versions that are kept: late events are milliseconds late, not reloads. */
const KEPT_VERSIONS = 8;

export class InventoryHistory {
  #versions: { readonly fromNs: number; readonly index: InventoryIndex }[] = [
    { fromNs: -Infinity, index: new InventoryIndex([]) },
  ];

  /** From `fromNs` on this one holds. The first one that is ever set holds for all time before, too. */
  set(index: InventoryIndex, fromNs: number): void {
    if (this.#versions.length === 1 && this.#versions[0]!.index.entries.length === 0)
      this.#versions = [{ fromNs: -Infinity, index }];
    else this.#versions = [...this.#versions, { fromNs, index }].slice(-KEPT_VERSIONS);
  }

  get latest(): InventoryIndex {
    return this.#versions.at(-1)!.index;
  }

  /** When the latest version came into force. */
  get latestFromNs(): number {
    return this.#versions.at(-1)!.fromNs;
  }

  at(ns: number): InventoryIndex {
    return (this.#versions.findLast((version) => version.fromNs <= ns) ?? this.#versions[0]!).index;
  }
}

const PROTOCOL_NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const;

function addressText(address: Uint8Array): string {
  return Buffer.from(address.buffer, address.byteOffset, 16).toString("latin1");
}

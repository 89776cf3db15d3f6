/**
 * Who an end of a flow is. The near end is known by its socket: container, unit, namespace, process. The far end by address and
 * time: the namespace that held the address then, and who listened there; the inventory; a block; the name it was looked up by.
 *
 * The order of precedence is written out in docs/identities.md. All answers are indices of parties (identities.ts).
 */
import { bytesOf } from "../decode/columns.ts";
import type { Labels } from "../../model/identity.ts";
import { cgroupOfProcess, Cgroups, NO_CGROUP, type CgroupFacts } from "./cgroups.ts";
import { containerName } from "./containers.ts";
import { Identities, type KnownIdentity, type Party } from "./identities.ts";
import { AddressIntervals, BETWEEN_OWNERS } from "./intervals.ts";
import type { KnownEntry } from "./inventory.ts";
import { InventoryHistory, type InventoryIndex } from "./inventory-index.ts";
import { DnsNames } from "./names.ts";
import type { NetnsView } from "./netns.ts";
import { processName, type ProcessFacts } from "./processes.ts";
import { visibleText } from "./visible-text.ts";
import { WordTable } from "./word-table.ts";

export interface WhoSettings {
  readonly node: string;
  /** Inode of the namespace that stands for the host itself. */
  readonly hostNetns: number;
  /** True for namespaces that are observed (WEIR_NETNS); asked with inode and name. */
  readonly observes: (inode: number, name: string) => boolean;
}

/** An answer that rests on something not yet seen (a new cgroup, a new namespace) is asked for again after this. */
const RETRY_MS = 1000;

export class Who {
  readonly identities: Identities;
  readonly intervals = new AddressIntervals();
  readonly names: DnsNames;
  readonly inventory = new InventoryHistory();
  readonly #settings: WhoSettings;
  #cgroups: Cgroups;
  #hostNetns: number;
  /** False for a replay: its process ids are another machine's. */
  #asksProc = true;
  readonly #near = new WordTable(8, 1, 1, 16_384);
  readonly #far = new WordTable(6, 1, 1, 32_768);
  readonly #nearKey = new Uint32Array(8);
  readonly #farKey = new Uint32Array(6);
  #farEpoch = -1;
  #namespaces = new Map<number, NetnsView>();
  /** When the last look ended. */
  #lookedNs = 0;
  /** `netns protocol port` → who listens. */
  #listeners = new Map<string, ProcessFacts>();
  readonly #containerNames = new Map<string, string>();

  constructor(settings: WhoSettings, identities = new Identities(), cgroups = new Cgroups(), names = new DnsNames()) {
    this.#settings = settings;
    this.identities = identities;
    this.#cgroups = cgroups;
    this.#hostNetns = settings.hostNetns;
    this.names = names;
  }

  /**
   * What a look at the machine found (netns.ts): namespaces by inode, listeners with their processes. Replaces the last look.
   * A look takes from `beganNs` to `endedNs`, in which an address can move: it proves an owner only for an address that the
   * look before found there too, for the time between the two; sockets prove the rest. Of an address that nobody was seen to
   * use, one look is enough.
   */
  update(
    views: readonly NetnsView[],
    listeners: ReadonlyMap<string, ProcessFacts>,
    beganNs: number,
    endedNs = beganNs,
  ): void {
    const before = this.#namespaces;
    const now = new Map(views.map((view) => [view.inode, view]));
    for (const view of views) {
      const words = view.addresses;
      if (words === undefined) continue;
      const earlier = before.get(view.inode)?.addresses;
      for (let i = 0; i < words.length; i += 4) {
        if (earlier !== undefined && holds(earlier, words, i)) {
          this.intervals.prove(words, i, view.inode, this.#lookedNs);
          this.intervals.prove(words, i, view.inode, beganNs);
        } else if (!this.intervals.knows(words, i)) this.intervals.prove(words, i, view.inode, endedNs);
      }
    }
    this.#lookedNs = endedNs;
    for (const [inode, view] of before) {
      const words = view.addresses;
      const still = now.get(inode)?.addresses;
      if (words === undefined || (now.has(inode) && still === undefined)) continue;
      for (let i = 0; i < words.length; i += 4)
        if (still === undefined || !holds(still, words, i)) this.intervals.end(words, i, inode, endedNs);
    }
    this.#namespaces = now;
    const merged = new Map(listeners);
    if (signature(before, this.#listeners) !== signature(now, merged)) this.forgetAnswers();
    this.#listeners = merged;
  }

  /** The events are another machine's (a replay): its host namespace and cgroups hold, this machine's /proc is not asked. */
  becomeOther(hostNetns: number, cgroups: Cgroups): void {
    this.#hostNetns = hostNetns;
    this.#cgroups = cgroups;
    this.#asksProc = false;
  }

  /** A socket listens (kernel event): known at once, before the next look. A look's answer for the same process stands. */
  learnListener(netns: number, protocol: number, port: number, comm: string, pid: number): void {
    const key = `${netns} ${protocol} ${port}`;
    const known = this.#listeners.get(key);
    if (known !== undefined && (known.pid === pid || known.comm === comm)) return;
    const asked = this.#asksProc ? pid : 0;
    const name = processName(comm, asked);
    if (known?.comm === name) return;
    this.#listeners.set(key, { pid, comm: name, cgroup: asked === 0 ? NO_CGROUP : cgroupOfProcess(asked) });
    this.forgetAnswers();
  }

  setInventory(index: InventoryIndex, fromNs: number): void {
    this.inventory.set(index, fromNs);
    this.forgetAnswers();
  }

  /** Answers rest on tables that have changed. */
  forgetAnswers(): void {
    this.#near.clear();
    this.#far.clear();
  }

  /** True when somebody listens on the port: tells servers from clients where the kernel does not. */
  listens(netns: number, protocol: number, port: number): boolean {
    return this.#listeners.has(`${netns} ${protocol} ${port}`);
  }

  /** A device's name, "" when unknown. */
  deviceName(netns: number, ifindex: number): string {
    return this.#namespaces.get(netns)?.devices.get(ifindex) ?? "";
  }

  isObserved(netns: number): boolean {
    return this.#settings.observes(netns, this.#namespaces.get(netns)?.name ?? "");
  }

  /**
   * The near end: the party of a socket by its namespace, cgroup and process name (`comm`, 4 words at `commAt`; undefined = not known).
   * `port` = the local port where the end is a server, else 0: its listener stands in for a process that the event does not name.
   */
  near(
    netns: number,
    cgroupLow: number,
    cgroupHigh: number,
    comm: Uint32Array | undefined,
    commAt: number,
    pid: number,
    port: number,
    protocol: number,
    atNs: number,
  ): number {
    const key = this.#nearKey;
    key[0] = netns;
    key[1] = cgroupLow;
    key[2] = cgroupHigh;
    for (let i = 0; i < 4; i++) key[3 + i] = comm === undefined ? 0 : comm[commAt + i]!;
    key[7] = port | (protocol << 16);
    const slot = this.#near.insert(key);
    const nowMs = atNs / 1e6;
    if (!this.#near.isNew && (this.#near.doubles[slot] === 0 || nowMs < this.#near.doubles[slot]!))
      return this.#near.words[slot]!;
    const named = comm === undefined ? "" : commText(comm, commAt);
    const cgroup = cgroupHigh * 4294967296 + cgroupLow;
    const party = this.#nearParty(netns, cgroup, named, pid, port, protocol, nowMs);
    const sure = this.#cgroups.knows(cgroup) && this.#namespaces.has(netns);
    this.#near.words[slot] = party.index;
    this.#near.doubles[slot] = sure ? 0 : nowMs + RETRY_MS;
    return party.index;
  }

  /**
   * The far end: the party of an address (4 words at `at`) as seen from `observer` (a namespace) at `ns`.
   * `port` = the port where that end is the server, else 0.
   */
  far(
    observer: number,
    words: Uint32Array<ArrayBuffer>,
    at: number,
    port: number,
    protocol: number,
    ns: number,
  ): number {
    const epoch = this.intervals.epoch + this.names.epoch;
    if (epoch !== this.#farEpoch) {
      this.#far.clear();
      this.#farEpoch = epoch;
    }
    const steady = ns >= this.inventory.latestFromNs && this.intervals.steady(words, at);
    if (!steady) return this.#farParty(observer, words, at, port, protocol, ns).index;
    const key = this.#farKey;
    for (let i = 0; i < 4; i++) key[i] = words[at + i]!;
    key[4] = isLoopback(words, at) ? observer : 0;
    key[5] = port | (protocol << 16);
    const slot = this.#far.insert(key);
    const nowMs = ns / 1e6;
    if (!this.#far.isNew && nowMs < this.#far.doubles[slot]!) return this.#far.words[slot]!;
    const party = this.#farParty(observer, words, at, port, protocol, ns);
    this.#far.words[slot] = party.index;
    this.#far.doubles[slot] = nowMs + 60_000; // names end
    return party.index;
  }

  /** The service that a client called at this address and port, or undefined. */
  service(
    words: Uint32Array<ArrayBuffer>,
    at: number,
    port: number,
    protocol: number,
    ns: number,
  ): KnownEntry | undefined {
    return this.inventory.at(ns).service(bytesOf(words).subarray(at * 4, at * 4 + 16), port, protocol);
  }

  /** True when an agent of ours (this one, or by the inventory another) reports what this address does itself. */
  hasAgent(observer: number, words: Uint32Array<ArrayBuffer>, at: number, ns: number): boolean {
    if (isLoopback(words, at)) return this.isObserved(observer);
    const owner = this.intervals.owner(words, at, ns);
    if (owner > 0) return this.isObserved(owner);
    const index = this.inventory.at(ns);
    const bytes = bytesOf(words).subarray(at * 4, at * 4 + 16);
    return (index.address(bytes) ?? index.block(bytes))?.entry.observed === true;
  }

  partyOfEntry(known: KnownEntry, endpoint = "", name = ""): Party {
    const { entry } = known;
    const labels: Record<string, string> = {
      ...entry.labels,
      "weir:namespace": entry.namespace,
      "weir:workload": entry.workload,
    };
    if (entry.kind !== "workload") labels["weir:kind"] = entry.kind;
    const kind = entry.kind === "service" ? "service" : entry.kind === "outside" ? "cidr" : "workload";
    const identity = this.identities.identity(kind, entry.kind, entry.namespace, entry.workload, labels);
    return this.identities.party(identity, entry.endpoint ?? endpoint, name);
  }

  #nearParty(
    netns: number,
    cgroup: number,
    comm: string,
    givenPid: number,
    port: number,
    protocol: number,
    nowMs: number,
  ): Party {
    const index = this.inventory.at(nowMs * 1e6);
    const view = this.#namespaces.get(netns);
    const pid = this.#asksProc ? givenPid : 0;
    let facts = this.#cgroups.facts(cgroup, nowMs);
    if (facts === NO_CGROUP && pid !== 0) facts = cgroupOfProcess(pid);
    let process = comm === "" ? "" : processName(comm, pid);
    if (port !== 0 && (facts === NO_CGROUP || process === "")) {
      const listener = this.#listeners.get(`${netns} ${protocol} ${port}`);
      if (listener !== undefined) {
        if (facts === NO_CGROUP) facts = listener.cgroup;
        if (process === "") process = listener.comm;
      }
    }
    return this.#nearBy(index, netns, view, facts, process);
  }

  #nearBy(
    index: InventoryIndex,
    netns: number,
    view: NetnsView | undefined,
    facts: CgroupFacts,
    process: string,
  ): Party {
    const container = facts.container === "" ? "" : this.#containerName(facts.container);
    const netnsName = view?.name ?? "";
    const entry = index.cgroup(facts, container) ?? index.netns(netnsName, netns) ?? index.process(process);
    if (entry !== undefined) return this.partyOfEntry(entry, container || netnsName);
    const { node } = this.#settings;
    const hostNetns = this.#hostNetns;
    if (container !== "") return this.#plain(container, { "container:name": container }, facts.container.slice(0, 12));
    if (facts.unit !== "") {
      const [unit = "", instance] = facts.unit.replace(/\.service$/, "").split("@");
      return this.#plain(
        visibleText(unit),
        { "host:unit": facts.unit },
        instance === undefined || instance === "" ? "" : visibleText(facts.unit),
      );
    }
    if (netns !== 0 && netns !== hostNetns && netnsName !== "")
      return this.#plain(visibleText(netnsName), { "netns:name": netnsName }, "");
    if (process !== "") return this.#plain(process, { "proc:comm": process }, "");
    if (netns !== 0 && netns !== hostNetns) return this.#plain(`netns-${netns}`, { "netns:inode": String(netns) }, "");
    return this.identities.party(this.identities.reserved("host"), node, "");
  }

  #farParty(
    observer: number,
    words: Uint32Array<ArrayBuffer>,
    at: number,
    port: number,
    protocol: number,
    ns: number,
  ): Party {
    const index = this.inventory.at(ns);
    const bytes = bytesOf(words).subarray(at * 4, at * 4 + 16);
    const service = port === 0 ? undefined : index.service(bytes, port, protocol);
    if (service !== undefined) return this.partyOfEntry(service);
    const owner = isLoopback(words, at) ? observer : this.intervals.owner(words, at, ns);
    const view = owner > 0 ? this.#namespaces.get(owner) : undefined;
    const ofNetns = owner > 0 ? index.netns(view?.name ?? "", owner) : undefined;
    if (ofNetns !== undefined) return this.partyOfEntry(ofNetns, view?.name ?? "");
    const ofAddress = index.address(bytes);
    if (ofAddress !== undefined) return this.partyOfEntry(ofAddress);
    if (owner > 0) {
      const listener = port === 0 ? undefined : this.#listeners.get(`${owner} ${protocol} ${port}`);
      return this.#nearBy(index, owner, view, listener?.cgroup ?? NO_CGROUP, listener?.comm ?? "");
    }
    if (owner === BETWEEN_OWNERS) return this.identities.at(0);
    const name = this.names.nameOf(words, at, ns / 1e6);
    const block = index.block(bytes);
    if (block !== undefined) return this.partyOfEntry(block, "", name);
    if (name !== "") return this.identities.party(this.#identityOfName(name), "", name);
    return this.identities.party(this.identities.reserved("world"), "", "");
  }

  #identityOfName(name: string): KnownIdentity {
    return this.identities.identity("fqdn", "outside", "", name, { [`fqdn:${name}`]: "" });
  }

  #plain(workload: string, labels: Labels, endpoint: string): Party {
    const { node } = this.#settings;
    const identity = this.identities.identity("workload", "", node, workload, { ...labels, "host:name": node });
    return this.identities.party(identity, endpoint, "");
  }

  #containerName(id: string): string {
    let name = this.#containerNames.get(id);
    if (name === undefined) {
      name = containerName(id);
      if (this.#containerNames.size > 10_000) this.#containerNames.clear();
      this.#containerNames.set(id, name);
    }
    return name;
  }
}

/** 127/8 (mapped), ::1. */
export function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  if (words[at + 2] === 0xffff0000) return (words[at + 3]! & 0xff) === 127;
  return words[at + 2] === 0 && words[at + 3] === 0x01000000;
}

function holds(list: Uint32Array, words: Uint32Array, at: number): boolean {
  for (let i = 0; i < list.length; i += 4) {
    if (
      list[i] === words[at] &&
      list[i + 1] === words[at + 1] &&
      list[i + 2] === words[at + 2] &&
      list[i + 3] === words[at + 3]
    )
      return true;
  }
  return false;
}

function signature(namespaces: ReadonlyMap<number, NetnsView>, listeners: ReadonlyMap<string, ProcessFacts>): string {
  const spaces = [...namespaces.values()].map((view) => `${view.inode}=${view.name}`).toSorted();
  const ports = [...listeners].map(([key, process]) => `${key}=${process.pid}:${process.comm}`).toSorted();
  return [...spaces, ...ports].join("|");
}

/** The 16 bytes of a process name, up to its NUL, made visible. */
export function commText(comm: Uint32Array, at: number): string {
  const bytes = Buffer.alloc(16);
  let length = 0;
  for (; length < 16; length++) {
    const byte = (comm[at + (length >> 2)]! >>> ((length & 3) * 8)) & 0xff;
    if (byte === 0) break;
    bytes[length] = byte;
  }
  return visibleText(bytes.toString("utf8", 0, length), 64);
}

import { FILTER_DROPS } from "./drops-filter.ts";
import { DAMAGE_DROPS } from "./drops-damage.ts";
import { DRIVER_DROPS } from "./drops-driver.ts";
import { QUEUE_DROPS } from "./drops-queue.ts";
import { TUNNEL_DROPS } from "./drops-tunnel.ts";
import { UNIX_DROPS } from "./drops-unix.ts";
import { TCP_SIGNATURE_DROPS } from "./drops-tcp-signature.ts";
import { IP_PART_DROPS } from "./drops-ip-parts.ts";
import { IP_DROPS } from "./drops-ip.ts";
import { LINK_DROPS } from "./drops-link.ts";
import { NEWER_DROPS, OPENVSWITCH_DROPS, RENAMED } from "./drops-newer.ts";
import { SOCKET_DROPS } from "./drops-socket.ts";
import { TCP_HANDSHAKE_DROPS } from "./drops-tcp-handshake.ts";
import { TCP_STREAM_DROPS } from "./drops-tcp-stream.ts";
import { functionInWords, hookOfCaller, own, plainFunction } from "./kernel-functions.ts";
import type { UnnamedDrop } from "./unnamed-drop.ts";
import { UNNAMED_ODDITIES } from "./unnamed-oddities.ts";
import { UNNAMED_VERDICTS } from "./unnamed-verdicts.ts";
import type { Description, Entries, Entry, NoiseRule } from "./types.ts";

/** Every reason of the kernel that this version describes, by name without prefix. Cilium's are in cilium.ts. */
export const DROP_ENTRIES: Entries = {
  ...SOCKET_DROPS,
  ...UNIX_DROPS,
  ...DAMAGE_DROPS,
  ...TCP_HANDSHAKE_DROPS,
  ...TCP_STREAM_DROPS,
  ...TCP_SIGNATURE_DROPS,
  ...IP_DROPS,
  ...IP_PART_DROPS,
  ...LINK_DROPS,
  ...FILTER_DROPS,
  ...QUEUE_DROPS,
  ...TUNNEL_DROPS,
  ...DRIVER_DROPS,
  ...NEWER_DROPS,
  ...OPENVSWITCH_DROPS,
};

/** NOT_SPECIFIED, split; the first row that fits wins. */
const UNNAMED: readonly UnnamedDrop[] = [...UNNAMED_VERDICTS, ...UNNAMED_ODDITIES];

/** What is known about one drop, or about drops that share reason and function. Undefined = not known, which is never taken for "no". */
export interface DropFacts {
  /** The kernel's name, with or without SKB_DROP_REASON_. */
  readonly reason: string;
  /** Kernel function; compiler suffixes may stay. */
  readonly location?: string | undefined;
  /** For netfilter: the caller of nf_hook_slow. */
  readonly hookCaller?: string | undefined;
  /** The hook itself (drop-place.ts), where it is known already; "" = not. */
  readonly hook?: string | undefined;
  /** IP protocol number. */
  readonly protocol?: number | undefined;
  readonly tcpFlags?: number | undefined;
  readonly icmpType?: number | undefined;
  readonly dport?: number | undefined;
  /** The destination is a multicast or broadcast address. */
  readonly toGroup?: boolean | undefined;
  /** ICMP sent for the same packet, `3/13`; `none` when known to be none. */
  readonly icmpSent?: string | undefined;
  /** Reason of a reset sent for the same packet, without prefix. */
  readonly rstSent?: string | undefined;
  /** The same flow retransmits or fails at that time. */
  readonly flowTroubled?: boolean | undefined;
  /** Packets of the same flow and reason in the range. */
  readonly packets?: number | undefined;
  /** Their share of the flow's packets, 0–1. */
  readonly share?: number | undefined;
}

export interface DropDescription extends Description {
  /** The name for screens: the reason's own, or that of the row which splits NOT_SPECIFIED. */
  readonly showAs: string;
  /** Kernel function without suffixes, and where it sits in words. */
  readonly location: string | undefined;
  readonly where: string | undefined;
  /** Firewall hook (`forward`), tc or queue, when the callers tell. */
  readonly hook: string | undefined;
  /** Who decided, only for `policy`: what the kernel tells and what it does not. */
  readonly decidedBy: string | undefined;
}

/** The text for a drop. A name without text comes back raw, `known: false`; nothing is guessed from a similar name. */
export function describeDrop(facts: DropFacts): DropDescription {
  const name = reasonName(facts.reason);
  const location = facts.location === undefined || facts.location === "" ? undefined : plainFunction(facts.location);
  const split =
    name === "NOT_SPECIFIED" && location !== undefined ? UNNAMED.find((row) => fits(row, location, facts)) : undefined;
  const entry = split?.entry ?? own(DROP_ENTRIES, own(RENAMED, name) ?? name) ?? wifi(name);
  const hook = facts.hook || (facts.hookCaller === undefined ? undefined : hookOfCaller(facts.hookCaller));
  const where = location === undefined ? undefined : functionInWords(location);
  const description = describe(name, entry);
  return {
    ...description,
    showAs: split?.showAs ?? name,
    location,
    where,
    hook,
    decidedBy: description.policy ? decider(hook, location) : undefined,
  };
}

/**
 * True when the event is normal and hidden by default (the switch "hidden as normal" shows it again).
 * Data decides: the `noise` rules of the description. A fact that is missing never hides an event; only `flowTroubled` counts as false until it is known.
 */
export function isNoise(facts: DropFacts): boolean {
  const location = facts.location === undefined ? undefined : plainFunction(facts.location);
  return describeDrop(facts).noise.some((rule) => holds(rule, location, facts));
}

/** Fills a table's row to a description; without a row, the raw name. */
export function describe(name: string, entry: Entry | undefined): Description {
  if (entry === undefined) {
    const meaning = "This name is not described in this version. It is shown as the source gave it.";
    return { name, known: false, title: name, meaning, ...EMPTY };
  }
  return { name, known: true, ...EMPTY, ...entry, policy: entry.policy ?? false };
}

const EMPTY = {
  senderSees: "nothing",
  who: "this host",
  layer: "other",
  severity: "warning",
  policy: false,
  noise: [],
  causes: [],
  checks: [],
  fix: "",
  related: [],
} as const;

/** A reason without the kernel's prefix. SKB_NOT_DROPPED_YET and SKB_CONSUMED are their own names. */
export function reasonName(reason: string): string {
  return reason.replace(/^SKB_DROP_REASON_/, "").replace(/^SK_RST_REASON_/, "");
}

function decider(hook: string | undefined, location: string | undefined): string {
  if (hook !== undefined) return `The kernel names the hook (${hook}), not the rule.`;
  if (location !== undefined) return `The kernel names the function (${location}), not the rule.`;
  return "The kernel does not name the rule.";
}

function fits(row: UnnamedDrop, location: string, facts: DropFacts): boolean {
  return (
    row.at.includes(location) &&
    (row.icmp === undefined || row.icmp === facts.icmpSent) &&
    (row.rst === undefined || (facts.rstSent !== undefined && row.rst === reasonName(facts.rstSent))) &&
    (row.tcpFlags === undefined || hasAll(facts.tcpFlags, row.tcpFlags)) &&
    (row.toGroup === undefined || facts.toGroup === true)
  );
}

function holds(rule: NoiseRule, location: string | undefined, facts: DropFacts): boolean {
  const { at, protocols, icmpTypes, tcpFlags, dportFrom, atMost, shareBelow } = rule;
  if (rule.wordsOnly === true) return false;
  if (at !== undefined && (location === undefined || !at.includes(location))) return false;
  if (protocols !== undefined && (facts.protocol === undefined || !protocols.includes(facts.protocol))) return false;
  if (icmpTypes !== undefined && (facts.icmpType === undefined || !icmpTypes.includes(facts.icmpType))) return false;
  if (tcpFlags !== undefined && !tcpFlags.some((mask) => hasAll(facts.tcpFlags, mask))) return false;
  if (dportFrom !== undefined && (facts.dport === undefined || facts.dport < dportFrom)) return false;
  if (rule.toGroup === true && facts.toGroup !== true) return false;
  if (atMost !== undefined && (facts.packets === undefined || facts.packets > atMost)) return false;
  if (shareBelow !== undefined && (facts.share === undefined || facts.share >= shareBelow)) return false;
  return rule.unlessTroubled !== true || facts.flowTroubled !== true;
}

function hasAll(flags: number | undefined, mask: number): boolean {
  return flags !== undefined && (flags & mask) === mask;
}

/** Wi-Fi's subsystem has about fifty names of its own, which one text serves. */
function wifi(name: string): Entry | undefined {
  if (!/^RX_DROP_[UM]_/.test(name) && name !== "RX_DROP" && name !== "RX_DROP_MONITOR" && name !== "RX_DROP_UNUSABLE")
    return undefined;
  return {
    title: "Wi-Fi frame refused",
    meaning:
      "The frame was turned down by Wi-Fi itself: replayed, doubled, not decipherable, or not protected as agreed.",
    layer: "driver",
    severity: "info",
    who: "path",
    checks: [["iw dev {device} station dump", "stations with their signal and errors"]],
    fix: "Look at signal and keys of the station, if connections suffer.",
  };
}

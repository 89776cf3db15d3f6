/**
 * The form of every text about a lost packet or a failed connection. In: nothing. Out: plain data, made for a panel.
 * Rules for the words: causes are likely ones, the likeliest first, and never stated as fact; checks are commands that a person can run as they are.
 */

/** Where in the stack the reason belongs; screens colour by it. */
export type Layer =
  | "socket"
  | "unix"
  | "tcp"
  | "udp"
  | "ip"
  | "neighbour"
  | "link"
  | "bridge"
  | "tunnel"
  | "queue"
  | "filter"
  | "xfrm"
  | "driver"
  | "memory"
  | "can"
  | "dns"
  | "other";

/** Orders lists and alerts; `noise` is hidden until asked for. */
export type Severity = "noise" | "info" | "warning" | "error";

/** Where the cause most often lies; `this host` is the one that reported. */
export type Who = "sender" | "receiver" | "path" | "this host" | "nobody";

/**
 * A command and what it tells. Placeholders: see `PLACEHOLDERS` in checks.ts; they stand outside of quotes, because their values are quoted when filled.
 * Third: where to run it. Left out = in the network namespace of the event; `host` = outside of it; `there` = at the other end of the flow.
 */
export type Check = readonly [command: string, why: string, place?: "host" | "there"];

/** One condition under which an event is normal. All fields that are set must hold; a fact that the event lacks does not hold. */
export interface NoiseRule {
  /** In words, for the switch that shows hidden events again. */
  readonly text: string;
  /** Kernel functions, without compiler suffixes. */
  readonly at?: readonly string[];
  /** IP protocol numbers. */
  readonly protocols?: readonly number[];
  readonly icmpTypes?: readonly number[];
  /** Masks: all bits of one of them are set. */
  readonly tcpFlags?: readonly number[];
  /** Destination ports from here on. */
  readonly dportFrom?: number;
  /** The destination is a multicast or broadcast address. */
  readonly toGroup?: true;
  /** At most so many packets of the same flow and reason in the range asked for. */
  readonly atMost?: number;
  /** Less than this share (0–1) of the flow's packets. */
  readonly shareBelow?: number;
  /** Not while the same flow is known to retransmit or fail. */
  readonly unlessTroubled?: true;
  /** The event cannot tell: shown as words, never hides anything. */
  readonly wordsOnly?: true;
}

/** A text as it is written in the tables; the key is the kernel's name without its prefix. */
export interface Entry {
  readonly title: string;
  readonly meaning: string;
  /** What the sender notices; left out = nothing. */
  readonly senderSees?: string;
  /** Left out = this host. */
  readonly who?: Who;
  readonly layer: Layer;
  readonly severity: Severity;
  /** True: a rule or a program decided. */
  readonly policy?: true;
  readonly noise?: readonly NoiseRule[];
  readonly causes?: readonly string[];
  readonly checks?: readonly Check[];
  readonly fix?: string;
  readonly related?: readonly string[];
}

export type Entries = Readonly<Record<string, Entry>>;

/** A text as screens and the CLI get it: every field present. */
export interface Description {
  /** The name that was asked for, without prefix. */
  readonly name: string;
  /** False: this version has no text for the name; `title` is the raw name. */
  readonly known: boolean;
  readonly title: string;
  readonly meaning: string;
  readonly senderSees: string;
  readonly who: Who;
  readonly layer: Layer;
  readonly severity: Severity;
  readonly policy: boolean;
  readonly noise: readonly NoiseRule[];
  readonly causes: readonly string[];
  readonly checks: readonly Check[];
  readonly fix: string;
  readonly related: readonly string[];
}

import { errnoName } from "./errno.ts";
import { type JoinedDrop, type Lost } from "./join.ts";
import { reasonName } from "./lookup.ts";

/** What is known about one failed connection. Undefined = not known, which is never taken for "no". */
export interface FailureFacts {
  /** Linux' number; 0 = the program closed while connecting and the kernel reported nothing. */
  readonly errno: number;
  /** True: it failed after the handshake. */
  readonly wasOpen?: boolean | undefined;
  /** The server's port, for the words. */
  readonly port: number;
  /** From the first SYN to the failure. */
  readonly connectLatencyMs?: number | undefined;
  /** SYNs that were sent, all tries of the kernel. */
  readonly syns?: number | undefined;
  /** The answer of `joinDrops`, likeliest first. */
  readonly drops: readonly JoinedDrop[];
  /** A reset that the destination's host sent: its reason, or `false` when that host is watched and sent none. */
  readonly rstSent?: string | false | undefined;
  /** An ICMP error for this flow. `node` = the watched host that sent it. */
  readonly icmp?:
    | {
        readonly family: 4 | 6;
        readonly type: number;
        readonly code: number;
        readonly from: string;
        readonly node?: string | undefined;
      }
    | undefined;
  /** The destination's host is observed by Weir. */
  readonly destinationWatched?: boolean | undefined;
  /** A SYN was seen leaving the source's host, and arriving at the destination's. */
  readonly synLeft?: boolean | undefined;
  readonly synArrived?: boolean | undefined;
  /** By how much the counters of the destination's namespace rose in that time. */
  readonly listenOverflows?: number | undefined;
  readonly reqQueueFull?: number | undefined;
}

/** `known`: events of this flow say so. `likely`: they fit, but others could, too. `unknown`: nothing was found, and that is said. */
export type Certainty = "known" | "likely" | "unknown";

export interface Explanation {
  /** `refused: nothing listens on 8443`. */
  readonly title: string;
  readonly sentences: readonly string[];
  readonly certainty: Certainty;
  /** What it rests on, one piece of evidence each. */
  readonly basis: readonly string[];
  /** For those who search for them: `ECONNREFUSED`, `NO_SOCKET`. */
  readonly symbols: readonly string[];
  /** The drop behind it, for the panel with its checks. */
  readonly cause: JoinedDrop | undefined;
}

/** Puts an explanation together: the drop comes first in the sentences and in the evidence, what was seen or not seen follows. */
export function explain(
  facts: FailureFacts,
  title: string,
  certainty: Certainty,
  sentences: readonly string[],
  cause: JoinedDrop | undefined,
): Explanation {
  const symbols = facts.errno === 0 ? [] : [errnoName(facts.errno)];
  const basis: string[] = [];
  const said = [...sentences];
  if (cause !== undefined) {
    symbols.push(cause.description.showAs);
    basis.push(evidence(cause, facts));
    said.unshift(
      `${LOST[cause.lost]} was discarded${cause.drop.node === undefined ? "" : ` on ${cause.drop.node}`}. ${cause.description.meaning}`,
    );
    if (cause.description.decidedBy !== undefined) said.push(cause.description.decidedBy);
  }
  if (typeof facts.rstSent === "string") basis.push(`a reset of the destination, reason ${reasonName(facts.rstSent)}`);
  if (facts.rstSent === false) basis.push("no reset event at the destination");
  if (facts.icmp !== undefined)
    basis.push(
      `ICMP ${facts.icmp.family === 6 ? "v6 " : ""}${facts.icmp.type}/${facts.icmp.code} from ${facts.icmp.from}`,
    );
  if (facts.synLeft === false) basis.push("no SYN left the source's host");
  if (facts.synArrived === true) basis.push("the SYN arrived at the destination's host");
  if (facts.synArrived === false) basis.push("no SYN arrived at the destination's host");
  if ((facts.listenOverflows ?? 0) > 0) basis.push(`TcpExtListenOverflows rose by ${facts.listenOverflows}`);
  if ((facts.reqQueueFull ?? 0) > 0) basis.push(`TcpExtTCPReqQFullDrop rose by ${facts.reqQueueFull}`);
  return { title, sentences: said, certainty, basis, symbols, cause };
}

const LOST: Readonly<Record<Lost, string>> = {
  request: "The client's packet",
  answer: "The server's answer",
  notice: "An ICMP message about this connection",
};

function evidence({ drop, lost, description }: JoinedDrop, facts: FailureFacts): string {
  const of =
    lost === "request" && facts.syns !== undefined && facts.wasOpen !== true
      ? `${Math.min(drop.count, facts.syns)} of ${facts.syns} SYNs`
      : `${drop.count} ${drop.count === 1 ? "packet" : "packets"}`;
  const at = description.location === undefined ? "" : ` at ${description.location}`;
  const hook = description.hook === undefined ? "" : `, hook ${description.hook}`;
  const node = drop.node === undefined ? "" : `, on ${drop.node}`;
  return `${of} dropped: ${description.name}${at}${hook}${node}`;
}

/** A title inside of a sentence: `No socket` → `no socket`, but `TCP`, `IPv6` and `ARP` stay. */
export function lower(title: string): string {
  return /^[A-Z][a-z ]/.test(title) && !/^(Cilium|Open vSwitch|Multipath|Unix|Wi-Fi)/.test(title)
    ? title.charAt(0).toLowerCase() + title.slice(1)
    : title;
}

/** Seconds for a person, three figures: `6 s`, `3.05 s`, `0.4 ms`. */
export function seconds(milliseconds: number): string {
  return milliseconds < 1000
    ? `${Number(milliseconds.toPrecision(3))} ms`
    : `${Number((milliseconds / 1000).toPrecision(3))} s`;
}

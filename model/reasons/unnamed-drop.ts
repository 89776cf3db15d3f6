import type { Entry } from "./types.ts";

/**
 * Events whose reason is NOT_SPECIFIED, split by kernel function (and, where one function means several things, by what came with the event).
 * The first row that fits wins; a fact that the caller does not know fits no condition, so that nothing is guessed.
 */
export interface UnnamedDrop {
  /** The name that stands for it on screens, in place of NOT_SPECIFIED. */
  readonly showAs: string;
  readonly at: readonly string[];
  /** ICMP sent for the same packet, as `3/13`; `none` = known to be none. */
  readonly icmp?: string;
  /** Reason of a reset sent for the same packet. */
  readonly rst?: string;
  /** Mask that the packet's TCP flags hold. */
  readonly tcpFlags?: number;
  readonly toGroup?: true;
  readonly entry: Entry;
}

import type { Entries } from "./types.ts";

const NO_NETWORK_LOSS = [{ text: "stays within one host: no IP traffic" }];

/** Reasons of Unix sockets, and the names that are no losses at all. */
export const UNIX_DROPS: Entries = {
  SKB_NOT_DROPPED_YET: {
    title: "No loss recorded",
    meaning:
      "The initial value of the kernel's variable. Code that frees a packet with it did not mean to report a loss.",
    who: "nobody",
    layer: "other",
    severity: "noise",
    noise: [{ text: "no loss" }],
    causes: ["A kernel function released the packet without setting a reason"],
    fix: "Nothing needs doing.",
    related: ["NOT_SPECIFIED"],
  },
  SKB_CONSUMED: {
    title: "Packet used up as intended",
    meaning: "The packet reached whoever wanted it and was then released. Not a loss.",
    who: "nobody",
    layer: "other",
    severity: "noise",
    noise: [{ text: "no loss" }],
    causes: ["The usual end of a packet, for example after a capture program took its copy"],
    fix: "Nothing needs doing.",
  },
  SOCKET_CLOSE: {
    title: "Unix socket closed too early",
    meaning: "Messages still waited in a Unix-domain socket when it was closed. They never leave the host.",
    senderSees: "ECONNRESET on a stream, otherwise nothing",
    who: "receiver",
    layer: "unix",
    severity: "noise",
    noise: NO_NETWORK_LOSS,
    causes: [
      "The reading process ended before it had read all",
      "A listening Unix socket went away with connections in its queue",
    ],
    checks: [["ss -xp", "Unix sockets and their processes"]],
    fix: "Let the reader empty its socket before it exits, should a local program miss messages.",
    related: ["QUEUE_PURGE", "UNIX_DISCONNECT"],
  },
  UNIX_DISCONNECT: {
    title: "Unix datagram socket changed partners",
    meaning:
      "A Unix datagram socket was connected anew or lost its partner; what the earlier one had sent was thrown away.",
    layer: "unix",
    severity: "noise",
    noise: NO_NETWORK_LOSS,
    causes: ["A program, often a logger, opens its local connection again"],
    checks: [["ss -xp", "Unix sockets and their processes"]],
    fix: "Nothing needs doing.",
    related: ["SOCKET_CLOSE"],
  },
  UNIX_SKIP_OOB: {
    title: "Urgent byte on a Unix socket passed over",
    meaning: "The writer marked a byte as urgent and the reader did not ask for such bytes.",
    who: "receiver",
    layer: "unix",
    severity: "noise",
    noise: NO_NETWORK_LOSS,
    causes: ["MSG_OOB on one side only"],
    fix: "Nothing needs doing.",
    related: ["SOCKET_CLOSE"],
  },
  MAX: {
    title: "End of the kernel's list",
    meaning: "A marker that closes the enumeration. No packet carries it.",
    who: "nobody",
    layer: "other",
    severity: "noise",
    noise: [{ text: "not a reason" }],
    fix: "Nothing needs doing.",
  },
  SUBSYS_MASK: {
    title: "Mask for the subsystem",
    meaning: "Separates the number of a subsystem (Wi-Fi, Open vSwitch) from the reason's own. No packet carries it.",
    who: "nobody",
    layer: "other",
    severity: "noise",
    noise: [{ text: "not a reason" }],
    fix: "Nothing needs doing.",
  },
};

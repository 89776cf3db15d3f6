import { ACCEPT_CHECKS } from "./drops-socket.ts";
import { LISTENERS, PRESSURE, TCP_SOCKET, counters } from "./frequent-checks.ts";
import { own } from "./kernel-functions.ts";
import { describe, reasonName } from "./lookup.ts";
import type { Description, Entries, Entry, Severity } from "./types.ts";

const RST = "RST: ECONNRESET, or ECONNREFUSED while connecting";

function reset(title: string, meaning: string, severity: Severity, rest: Partial<Entry> = {}): Entry {
  return { title, meaning, severity, layer: "tcp", who: "receiver", senderSees: RST, ...rest };
}

/** Why this host sent a reset: the kernel's enum sk_rst_reason, without SK_RST_REASON_. */
const RESETS: Entries = {
  NOT_SPECIFIED: reset(
    "Reset without a stated reason",
    "The kernel names no reason for this reset, as older kernels never do.",
    "info",
  ),
  NO_SOCKET: reset(
    "No listener, or connection not known",
    "A SYN came for a port that nobody serves, or a packet for a connection that this host has forgotten.",
    "warning",
    {
      causes: ["The program is down or listens elsewhere", "It was restarted, and the client carries on"],
      checks: [LISTENERS],
      fix: "Start the listener; let servers finish their connections before they stop.",
      related: ["NO_SOCKET", "ECONNREFUSED"],
    },
  ),
  TCP_INVALID_ACK_SEQUENCE: reset(
    "The answer did not fit our SYN",
    "While this side was connecting, the other confirmed a number that was not sent: it still holds an older connection with these ports.",
    "warning",
    {
      who: "sender",
      related: ["TCP_INVALID_ACK_SEQUENCE"],
    },
  ),
  TCP_RFC7323_PAWS: reset(
    "Timestamp too old in the handshake",
    "The check of timestamps refused a packet of the handshake.",
    "warning",
    { who: "path", related: ["TCP_RFC7323_PAWS"] },
  ),
  TCP_TOO_OLD_ACK: reset(
    "Handshake confirmed from long ago",
    "A packet of the handshake confirms a number far in the past.",
    "info",
    { who: "sender", related: ["TCP_TOO_OLD_ACK"] },
  ),
  TCP_ACK_UNSENT_DATA: reset(
    "Handshake confirms what was not sent",
    "A packet of the handshake confirms bytes that never left this host.",
    "info",
    { who: "sender", related: ["TCP_ACK_UNSENT_DATA"] },
  ),
  TCP_FLAGS: reset(
    "ACK for a connection that is not here",
    "Data or an ACK came to a listening port that knows no such connection: the server was restarted, or a SYN cookie had expired.",
    "warning",
    {
      checks: [["ss -lntp sport = :{dport}", "the process that listens, whose start time then tells of a restart"]],
      fix: "Let servers finish their connections before they stop.",
      related: ["TCP_FLAGS"],
    },
  ),
  TCP_OLD_ACK: reset("ACK that moves nothing", "A packet of the handshake confirmed nothing new.", "info", {
    who: "sender",
    related: ["TCP_OLD_ACK"],
  }),
  TCP_ABORT_ON_DATA: reset(
    "Data for a socket already closed",
    "The program here had closed its connection, and more data came.",
    "info",
    {
      causes: ["A server closes while a request is on its way", "A client cancels before the answer has come"],
      related: ["TCP_ABORT_ON_DATA"],
    },
  ),
  TCP_TIMEWAIT_SOCKET: reset(
    "Data for a connection that has ended",
    "This side closed a moment ago, and the other has not noticed.",
    "info",
    { related: ["EPIPE"] },
  ),
  INVALID_SYN: reset(
    "Handshake turned down",
    "A SYN was out of place, or the accept queue was full on a host that resets in that case (tcp_abort_on_overflow).",
    "warning",
    { checks: ACCEPT_CHECKS, related: ["TCP_LISTEN_OVERFLOW"] },
  ),
  TCP_ABORT_ON_CLOSE: reset(
    "Closed without reading everything",
    "The program closed before it had read everything. The other side gets an error and may lose an answer that was on its way.",
    "warning",
    {
      causes: ["A server answers early and closes without reading the request to its end", "The process ended"],
      checks: [counters("TcpExtTCPAbortOnClose", "how often this namespace did so")],
      fix: "Read to the end before closing.",
      related: ["ECONNRESET"],
    },
  ),
  TCP_ABORT_ON_LINGER: reset(
    "Linger time ran out",
    "The program asked to wait for its last data to be confirmed, and that did not happen in time.",
    "warning",
    { who: "path" },
  ),
  TCP_ABORT_ON_MEMORY: reset(
    "TCP memory used up",
    "Too many connections without a program, or the memory for TCP is spent.",
    "error",
    { who: "this host", checks: [PRESSURE], related: ["PROTO_MEM"] },
  ),
  TCP_STATE: reset(
    "Ended on purpose",
    "The program or an administrator ended the connection by a reset: linger time 0, a disconnect, or ss -K.",
    "info",
  ),
  TCP_KEEPALIVE_TIMEOUT: reset("Keep-alives stay unanswered", "The other side or the path to it is gone.", "warning", {
    who: "path",
    checks: [TCP_SOCKET],
  }),
  TCP_DISCONNECT_WITH_DATA: reset(
    "Disconnected with data unsent",
    "Data was still to be sent when the program let go of the connection.",
    "warning",
  ),
  MPTCP_RST_EUNSPEC: reset(
    "Multipath TCP: no reason",
    "A path of a multipath connection was reset without a reason.",
    "info",
  ),
  MPTCP_RST_EMPTCP: reset("Multipath TCP: protocol error", "The other side broke the rules of multipath TCP.", "info"),
  MPTCP_RST_ERESOURCE: reset(
    "Multipath TCP: short of resources",
    "There was no memory or room for another path.",
    "info",
  ),
  MPTCP_RST_EPROHIBIT: reset("Multipath TCP: not allowed", "The settings here do not allow this path.", "info"),
  MPTCP_RST_EWQ2BIG: reset(
    "Multipath TCP: too much waiting",
    "More data is on its way than this side can hold.",
    "info",
  ),
  MPTCP_RST_EBADPERF: reset("Multipath TCP: path too slow", "The path performs too badly to be of use.", "info"),
  MPTCP_RST_EMIDDLEBOX: reset(
    "Multipath TCP: a device interferes",
    "A device on the path changes the connection.",
    "info",
    { who: "path" },
  ),
  ERROR: reset("Unexpected error", "Something failed that the kernel has no closer word for.", "warning"),
  MAX: reset("End of the kernel's list", "A marker that closes the enumeration. No reset carries it.", "noise"),
};

/** The text for the reason of a reset that this host sent; unknown names come back raw, `known: false`. */
export function describeReset(reason: string): Description {
  const name = reasonName(reason);
  return describe(name, own(RESETS, name));
}

/** All reset reasons with a text, for tests and for completion. */
export const RESET_NAMES: readonly string[] = Object.keys(RESETS);

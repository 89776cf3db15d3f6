import { describeErrno, errnoName } from "./errno.ts";
import { type Explanation, type FailureFacts, explain, lower, seconds } from "./explanation.ts";
import { describeIcmp } from "./icmp.ts";
import { isMost } from "./join.ts";
import { reasonName } from "./lookup.ts";
import { describeReset } from "./rst.ts";

/**
 * Why a connection failed, as far as the evidence goes. A cause is stated only when events of this very flow show it; what merely fits is worded as likely,
 * and where nothing was found, that is the answer.
 */
export function explainFailure(facts: FailureFacts): Explanation {
  const name = errnoName(facts.errno);
  if (name === "ECONNRESET" || name === "EPIPE" || (facts.wasOpen === true && name !== "ETIMEDOUT"))
    return ended(facts);
  if (name === "ECONNREFUSED") return refused(facts);
  if (name === "ETIMEDOUT" || name === "GAVE_UP") return unanswered(facts);
  if (name === "EHOSTUNREACH" || name === "ENETUNREACH" || name === "EACCES") return unreachable(facts);
  if (name === "EPERM") return blockedHere(facts);
  return other(facts);
}

function refused(facts: FailureFacts): Explanation {
  const { port, rstSent } = facts;
  const firewall = facts.drops.find((joined) => joined.lost === "request" && joined.description.policy);
  const missing = facts.drops.find((joined) => joined.lost === "request" && joined.description.name === "NO_SOCKET");
  const queueFull = missing?.description.location?.startsWith("cookie_v") === true;
  if (queueFull) {
    const why =
      "A SYN cookie came back while the accept queue had no room, which the kernel answers like a closed port.";
    return explain(facts, `refused: the accept queue on ${port} is full`, "known", [why], missing);
  }
  if (typeof rstSent === "string" && reasonName(rstSent) !== "NO_SOCKET" && missing === undefined) {
    const reset = describeReset(rstSent);
    return explain(facts, `refused: ${lower(reset.title)}`, "known", [reset.meaning], undefined);
  }
  if (typeof rstSent === "string" || (missing !== undefined && firewall === undefined)) {
    const contradicted = rstSent === false && facts.icmp === undefined; // a missing socket whose reset nobody sent: IPsec, or somebody else answered
    const sentence = `The destination received the packet and has no program for port ${port}.`;
    if (!contradicted) return explain(facts, `refused: nothing listens on ${port}`, "known", [sentence], missing);
    return explain(
      facts,
      `refused: likely nothing listens on ${port}`,
      "likely",
      [sentence, "It sent no reset itself, though, so something else answered."],
      missing,
    );
  }
  if (firewall !== undefined) {
    const certain = rstSent === false || rejects(facts);
    const how = certain
      ? "A rule that rejects discards the packet and answers in the destination's name."
      : "A firewall discarded the packet; that it also answered fits, but was not seen.";
    return explain(
      facts,
      `refused: ${certain ? "a firewall rejects" : "likely a firewall rejects"}`,
      certain ? "known" : "likely",
      [how],
      firewall,
    );
  }
  if (facts.destinationWatched === true && rstSent === false) {
    const sentence =
      "The destination's host is watched: it dropped nothing and sent no reset. A load balancer, NAT or proxy before it likely answered.";
    return explain(facts, "refused by something before the destination", "likely", [sentence], undefined);
  }
  const sentence =
    "Nothing that Weir watches shows who sent the refusal. As a rule nothing listens there, but a firewall can answer the same way.";
  return explain(facts, "refused, by the destination or something before it", "unknown", [sentence], undefined);
}

function unanswered(facts: FailureFacts): Explanation {
  const gaveUp = facts.errno === 0;
  const after = facts.connectLatencyMs === undefined ? "" : ` after ${seconds(facts.connectLatencyMs)}`;
  const start = gaveUp ? `gave up${after}` : "timed out";
  const own = gaveUp ? ["The program's own time limit ended it; the kernel would have gone on trying."] : [];
  const cause = facts.drops.find((joined) => joined.lost !== "notice");
  if (cause !== undefined) {
    const { count } = cause.drop;
    // Every SYN that is lost weighs; a drop that took few of them is part of the story only.
    const partly = cause.lost === "request" && facts.syns !== undefined && !isMost(count, facts.syns);
    const title = `${start}: ${partly ? `in ${count} of ${facts.syns} tries ` : ""}${cause.lost === "answer" ? "the answer was lost, " : ""}${lower(cause.description.title)}`;
    return explain(facts, title, partly ? "likely" : "known", own, cause);
  }
  if ((facts.listenOverflows ?? 0) > 0 && facts.synArrived !== false) {
    const sentence = `In that time ${facts.listenOverflows} connections met a full accept queue in the destination's namespace. The kernel drops their SYNs without an event, so that it was this one is likely, not certain.`;
    return explain(
      facts,
      `${start}: the accept queue on ${facts.port} was likely full`,
      "likely",
      [sentence, ...own],
      undefined,
    );
  }
  if ((facts.reqQueueFull ?? 0) > 0 && facts.synArrived !== false) {
    const sentence = `In that time ${facts.reqQueueFull} SYNs met a full queue of half-open connections in the destination's namespace. The kernel drops them without an event, so that it was this one is likely, not certain.`;
    return explain(
      facts,
      `${start}: the queue of half-open connections was likely full`,
      "likely",
      [sentence, ...own],
      undefined,
    );
  }
  if (facts.synLeft === false) {
    const atOnce = gaveUp && facts.connectLatencyMs !== undefined && facts.connectLatencyMs < 10;
    const sentence = atOnce
      ? "Nothing was sent: no free port, no route, or a rule of this host."
      : "No SYN reached the wire: something on the source's own host holds it back.";
    return explain(
      facts,
      `${start}: the SYN never left its host`,
      "known",
      atOnce ? [sentence] : [sentence, ...own],
      undefined,
    );
  }
  if (facts.destinationWatched === true && facts.synArrived === false && facts.synLeft === true) {
    const sentence =
      "The SYN left its host and did not reach the destination's, which is watched. A security group, cloud firewall, router or switch lies between; no host sees what they discard.";
    return explain(facts, `${start}: lost between the hosts`, "known", [sentence, ...own], undefined);
  }
  if (facts.synArrived === true) {
    const sentence =
      "The SYN reached the destination. No drop and no full queue was seen there, so why no answer came back is not known.";
    return explain(facts, `${start}: arrived, not answered`, "unknown", [sentence, ...own], undefined);
  }
  const sentence =
    facts.destinationWatched === true
      ? "No watched host dropped a packet of this connection."
      : "The other end is not watched, and no watched host dropped a packet of this connection. What happened beyond is not known.";
  return explain(facts, `${start}: no answer, cause not known`, "unknown", [sentence, ...own], facts.drops[0]);
}

function unreachable(facts: FailureFacts): Explanation {
  const error = describeErrno(facts.errno);
  const { icmp } = facts;
  const cause = facts.drops[0];
  if (cause !== undefined) {
    // Only routes and neighbours answer by ICMP on their own; a firewall has to be seen doing so.
    const { policy, layer } = cause.description;
    const certain = policy ? rejects(facts) : layer === "neighbour" || layer === "ip";
    const sentence =
      policy && !certain
        ? ["A firewall discarded the packet; that it also sent the message fits, but was not seen."]
        : [];
    return explain(
      facts,
      `${lower(error.title)}: ${certain ? "" : "likely "}${lower(cause.description.title)}`,
      certain ? "known" : "likely",
      sentence,
      cause,
    );
  }
  if (icmp !== undefined) {
    const meaning = describeIcmp(icmp.family, icmp.type, icmp.code);
    const what = meaning?.title ?? `ICMP ${icmp.type}/${icmp.code}`;
    const who = icmp.node === undefined ? `${icmp.from}, which Weir does not watch` : `${icmp.from} on ${icmp.node}`;
    return explain(
      facts,
      `${lower(error.title)}: ${what}`,
      "known",
      [`The ICMP message came from ${who}. It does not tell more.`],
      undefined,
    );
  }
  const atOnce = facts.connectLatencyMs !== undefined && facts.connectLatencyMs < 5;
  if (facts.synLeft === false || atOnce) {
    const certain = facts.synLeft === false;
    const what =
      facts.errno === 13
        ? "a route or a security module of its own host forbids it"
        : "its own host has no usable route";
    const sentence = certain ? "No packet was sent." : "It failed faster than a packet could have been answered.";
    return explain(
      facts,
      `${lower(error.title)}: ${certain ? "" : "likely "}${what}`,
      certain ? "known" : "likely",
      [sentence],
      undefined,
    );
  }
  return explain(
    facts,
    `${lower(error.title)}, cause not known`,
    "unknown",
    ["No watched host dropped the packet or sent an ICMP message about it."],
    undefined,
  );
}

function blockedHere(facts: FailureFacts): Explanation {
  const cause = facts.drops.find((joined) => joined.lost === "request");
  if (cause !== undefined)
    return explain(facts, `blocked on its own host: ${lower(cause.description.title)}`, "known", [], cause);
  const sentence =
    "Nothing was dropped. A hook on connect or send of the control group, or an IPsec policy, refuses without a packet; either fits.";
  return explain(
    facts,
    "blocked on its own host: likely a control group's hook or IPsec",
    "likely",
    [sentence],
    undefined,
  );
}

function ended(facts: FailureFacts): Explanation {
  const { rstSent } = facts;
  const start =
    facts.errno === 32 ? "sent after the end" : facts.errno === 104 ? "reset" : lower(describeErrno(facts.errno).title);
  if (typeof rstSent === "string") {
    const reset = describeReset(rstSent);
    return explain(
      facts,
      `${start}: ${lower(reset.title)}`,
      "known",
      [`The other end sent the reset. ${reset.meaning}`],
      facts.drops[0],
    );
  }
  if (facts.drops[0] !== undefined)
    return explain(facts, `${start}: likely ${lower(facts.drops[0].description.title)}`, "likely", [], facts.drops[0]);
  if (rstSent === false && facts.destinationWatched === true) {
    const sentence = "The other end is watched and sent no reset: a load balancer, firewall or NAT between likely did.";
    return explain(facts, `${start} by something between`, "likely", [sentence], undefined);
  }
  return explain(
    facts,
    `${start}, by whom is not known`,
    "unknown",
    ["Nothing that Weir watches shows who ended the connection."],
    undefined,
  );
}

function other(facts: FailureFacts): Explanation {
  const error = describeErrno(facts.errno);
  const cause = facts.drops[0];
  if (cause !== undefined)
    return explain(
      facts,
      `${lower(error.title)}: likely ${lower(cause.description.title)}`,
      "likely",
      [error.meaning],
      cause,
    );
  return explain(
    facts,
    error.known ? lower(error.title) : error.title,
    error.known ? "known" : "unknown",
    [error.meaning],
    undefined,
  );
}

/** True when an ICMP "prohibited" or "unreachable" of a watched host goes with the drop. */
function rejects({ icmp }: FailureFacts): boolean {
  if (icmp?.node === undefined) return false;
  return describeIcmp(icmp.family, icmp.type, icmp.code)?.drops.includes("NETFILTER_DROP") === true;
}

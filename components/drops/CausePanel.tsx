"use client";

import { protocolName } from "../../model/flow.ts";
import { Badge } from "../parts/Badge.tsx";
import { clockSeconds, count, share } from "../parts/numbers.ts";
import { Panel, PanelSection } from "../parts/Panel.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import { useExampleOfDrop } from "../questions/use-why-dropped.ts";
import { failureKey, type CauseLine } from "./cause-lines.ts";
import type { PanelContext } from "./DropsPanel.tsx";
import {
  Checks,
  CopyLink,
  Example,
  LeadList,
  LeadOn,
  LikelyCauses,
  Meaning,
  PanelFoot,
  WhatToDo,
  Where,
  WhoDecided,
} from "./panel-parts.tsx";

/** A reason on one edge, with that edge's own addresses, device and failures. */
export function CausePanel({ line, context }: { readonly line: CauseLine; readonly context: PanelContext }) {
  const { texts, select } = context;
  const example = useExampleOfDrop({
    reason: line.reason,
    location: line.at,
    src: line.source.id,
    dst: line.destination.id,
    port: line.port,
    protocol: line.protocol,
  });
  const flow = example.data?.flow;
  const text = texts.describeDrop({
    reason: line.reason,
    location: line.places[0]?.location,
    hook: line.places[0]?.hook,
    protocol: line.protocol,
    dport: line.port,
    ...(flow === null || flow === undefined ? {} : { tcpFlags: flow.tcpFlags, icmpType: flow.icmpType }),
  });
  const failures = context.failures.filter(
    (edge) =>
      edge.source.id === line.source.id &&
      edge.destination.id === line.destination.id &&
      edge.port === line.port &&
      edge.protocol === line.protocol,
  );
  const v6 = flow !== null && flow !== undefined && flow.source.address.includes(":");
  return (
    <Panel
      kind="Cause of drops"
      title={text.title}
      badge={<Badge tone="denied">{line.denied ? "Denied" : text.policy ? "Policy" : "Dropped"}</Badge>}
      facts={
        <>
          <EdgeName source={line.source} destination={line.destination} />
          {`, ${protocolName(line.protocol)}${line.port === 0 ? "" : ` ${line.port}`}`}
          <br />
          <code>{text.showAs}</code> · {count(line.drops)} {line.drops === 1 ? "packet" : "packets"} ·{" "}
          {share(line.drops, context.total)} of drops · {clockSeconds(line.firstSeen)} – {clockSeconds(line.lastSeen)}
        </>
      }
      tools={<CopyLink />}
      onClose={() => select(undefined)}
      foot={<PanelFoot flow={flow} source={line.source} destination={line.destination} />}
    >
      <Meaning text={text} life={example.data?.life} texts={texts} />
      {failures.length === 0 ? null : (
        <PanelSection title="What programs noticed" note="failed attempts of this edge">
          <LeadList>
            {failures.map((edge) => (
              <LeadOn
                key={edge.reason}
                count={count(edge.failed)}
                onClick={() => select({ kind: "failure", key: failureKey(edge) })}
              >
                <code>{edge.reason}</code>
                <span className="soft">{texts.describeErrno(edge.reason).inWords}</span>
              </LeadOn>
            ))}
          </LeadList>
        </PanelSection>
      )}
      <Where
        text={text}
        places={line.places}
        family={flow === null || flow === undefined ? "" : v6 ? "IPv6" : "IPv4"}
      />
      <WhoDecided text={text} />
      <Checks checks={texts.checksOf(text, flow)} flow={flow} />
      <WhatToDo fix={text.fix} />
      <LikelyCauses causes={text.causes} />
      <Example answer={example} of={`newest of ${count(line.drops)}`} />
    </Panel>
  );
}

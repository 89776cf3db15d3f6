"use client";

import { protocolName } from "../../model/flow.ts";
import type { FailedEdge } from "../../model/wire/answers/drops.ts";
import { Badge } from "../parts/Badge.tsx";
import { Swatch } from "../parts/Legend.tsx";
import { clockSeconds, count, duration } from "../parts/numbers.ts";
import { Panel, PanelSection } from "../parts/Panel.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import { useExampleOfFailure } from "../questions/use-why-dropped.ts";
import { causeKey } from "./cause-lines.ts";
import type { PanelContext } from "./DropsPanel.tsx";
import {
  Checks,
  CopyLink,
  Example,
  LeadList,
  LeadOn,
  LikelyCauses,
  PanelFoot,
  WhatToDo,
  WhoDecided,
} from "./panel-parts.tsx";
import styles from "./panel.module.css";

const CERTAINTY = {
  known: "events of these connections say so",
  likely: "fits, but others could, too",
  unknown: "nothing found that tells",
} as const;

/** The failed attempts of an edge: why, on what that rests, the drops behind them, what to check, one real attempt. */
export function FailurePanel({ edge, context }: { readonly edge: FailedEdge; readonly context: PanelContext }) {
  const { texts, select } = context;
  const { explanation, cause, how, because } = texts.explainEdge(edge);
  const error = texts.describeErrno(edge.reason);
  const drop =
    cause === undefined
      ? undefined
      : texts.describeDrop({
          reason: cause.reason,
          location: cause.location,
          protocol: edge.protocol,
          dport: edge.port,
        });
  const example = useExampleOfFailure({
    reason: edge.reason,
    src: edge.source.id,
    dst: edge.destination.id,
    port: edge.port,
    protocol: edge.protocol,
  });
  const flow = example.data?.flow;
  const life = example.data?.life;
  const ownDrop = life?.find((one) => one.kind === "drop");
  const ofThis = flow === null || flow === undefined ? undefined : texts.explainFlow(flow, life ?? []);
  const checks = dedupe([
    ...(drop === undefined ? [] : texts.checksOf(drop, ownDrop ?? flow)),
    ...texts.checksOf(error, flow),
  ]);
  return (
    <Panel
      kind="Failed connections"
      title={capital(explanation.title)}
      badge={<Badge tone="denied">Failed</Badge>}
      facts={
        <>
          <EdgeName source={edge.source} destination={edge.destination} />
          {`, ${protocolName(edge.protocol)} ${edge.port}`}
          <br />
          <code>{edge.reason}</code> · {count(edge.failed)} of {count(edge.failed + edge.opened)} attempts
          {edge.medianWaitUs === null ? "" : ` · median wait ${duration(edge.medianWaitUs)}`} ·{" "}
          {clockSeconds(edge.firstSeen)} – {clockSeconds(edge.lastSeen)}
        </>
      }
      tools={<CopyLink />}
      onClose={() => select(undefined)}
      foot={<PanelFoot flow={flow} source={edge.source} destination={edge.destination} />}
    >
      <PanelSection title="Why" note={CERTAINTY[explanation.certainty]}>
        {explanation.sentences.map((sentence) => (
          <p key={sentence} className={styles.prose}>
            {sentence}
          </p>
        ))}
        {cause === undefined && error.known ? <p className={styles.prose}>{error.meaning}</p> : null}
      </PanelSection>
      {edge.causes.length === 0 ? null : (
        <PanelSection title="Drops on the same connections" note={because ? "because" : how}>
          <LeadList>
            {texts.overNodes(edge).map((one) => (
              <LeadOn
                key={`${one.reason} ${one.location} ${String(one.reversed)}`}
                count={`${count(one.failures)} of ${count(edge.failed)}`}
                onClick={() =>
                  select({ kind: "cause", key: causeKey({ ...edge, reason: one.reason, location: one.location }) })
                }
              >
                <Swatch color={context.colors.get(one.reason) ?? "c6"} />
                <code>{one.reason}</code>
                <span className="soft">
                  {one.reversed ? "of the answer, " : ""}
                  {one.location === "" ? "" : `at ${one.location}`}
                  {one.node === "" ? "" : ` on ${one.node}`}
                </span>
              </LeadOn>
            ))}
          </LeadList>
          <p className={styles.small}>
            Joined by addresses, ports and time: from 0.1 s before the first SYN to 0.1 s after the failure.
          </p>
        </PanelSection>
      )}
      {drop === undefined ? null : <WhoDecided text={drop} />}
      {explanation.basis.length === 0 ? null : (
        <PanelSection title="What this rests on" note="over all attempts">
          <ul className={styles.bullets}>
            {explanation.basis.map((basis) => (
              <li key={basis}>{basis}</li>
            ))}
          </ul>
        </PanelSection>
      )}
      <Checks checks={checks} flow={ownDrop ?? flow} />
      <WhatToDo fix={drop?.fix !== undefined && drop.fix !== "" ? drop.fix : error.fix} />
      {cause === undefined || !because ? (
        <LikelyCauses causes={error.causes} />
      ) : (
        <LikelyCauses causes={drop?.causes ?? []} />
      )}
      {error.tellApart.length === 0 || because ? null : (
        <PanelSection title="How to tell them apart">
          <ul className={styles.bullets}>
            {error.tellApart.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </PanelSection>
      )}
      <Example
        answer={example}
        of={
          ofThis === undefined
            ? `newest of ${count(edge.failed)}`
            : `newest of ${count(edge.failed)}: ${ofThis.certainty === "unknown" ? "cause not known" : ofThis.title}`
        }
      />
    </Panel>
  );
}

function dedupe<Check extends { readonly command: string }>(checks: readonly Check[]): readonly Check[] {
  return checks.filter((check, index) => checks.findIndex((other) => other.command === check.command) === index);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

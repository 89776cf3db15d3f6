"use client";

import { Badge } from "../parts/Badge.tsx";
import { count, share } from "../parts/numbers.ts";
import { Panel, PanelSection } from "../parts/Panel.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import { useExampleOfDrop } from "../questions/use-why-dropped.ts";
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

const EDGES = 6;

/** A reason of drops: what it means, on which edges, where in the kernel, who decided, what to check and to do, one real case. */
export function ReasonPanel({
  reason,
  drops,
  context,
}: {
  readonly reason: string;
  readonly drops: number;
  readonly context: PanelContext;
}) {
  const { texts, select } = context;
  const lines = context.lines.filter((line) => line.reason === reason);
  const places = lines.flatMap((line) => line.places);
  const most = places.toSorted((a, b) => b.drops - a.drops)[0];
  const text = texts.describeDrop({ reason, location: most?.location, hook: most?.hook });
  const example = useExampleOfDrop({ reason });
  const flow = example.data?.flow;
  const denied = lines.some((line) => line.denied);
  return (
    <Panel
      kind="Drop reason"
      title={text.title}
      badge={<Badge tone="denied">{denied ? "Denied" : text.policy ? "Policy" : "Dropped"}</Badge>}
      facts={
        <>
          <code>{text.showAs === reason ? reason : `${reason}, ${text.showAs}`}</code> · {count(drops)}{" "}
          {drops === 1 ? "packet" : "packets"}
          {context.total >= drops && context.total > 0 ? ` · ${share(drops, context.total)} of drops` : ""}
        </>
      }
      tools={<CopyLink />}
      onClose={() => select(undefined)}
      foot={<PanelFoot flow={flow} source={lines[0]?.source} destination={lines[0]?.destination} />}
    >
      <Meaning text={text} life={example.data?.life} texts={texts} />
      {lines.length === 0 ? null : (
        <PanelSection
          title="On which edges"
          note={lines.length > EDGES ? `${EDGES} of ${lines.length}, most first` : "most first"}
        >
          <LeadList>
            {lines.slice(0, EDGES).map((line) => (
              <LeadOn key={line.key} count={count(line.drops)} onClick={() => select({ kind: "cause", key: line.key })}>
                <EdgeName source={line.source} destination={line.destination} />
                {line.port === 0 ? null : <code className="muted">:{line.port}</code>}
              </LeadOn>
            ))}
          </LeadList>
        </PanelSection>
      )}
      <Where text={text} places={places} family="" />
      <WhoDecided text={text} />
      <Checks checks={texts.checksOf(text, flow)} flow={flow} />
      <WhatToDo fix={text.fix} />
      <LikelyCauses causes={text.causes} />
      <Example answer={example} of={`newest of ${count(drops)}`} />
    </Panel>
  );
}

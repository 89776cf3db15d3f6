"use client";

import type { DropsFacetsAnswer, FailedEdge } from "../../model/wire/answers/drops.ts";
import { Button } from "../parts/Button.tsx";
import type { MarkColor } from "../parts/colors.ts";
import { Panel } from "../parts/Panel.tsx";
import { failureKey, type CauseLine, type Selection } from "./cause-lines.ts";
import { CausePanel } from "./CausePanel.tsx";
import { FailurePanel } from "./FailurePanel.tsx";
import { PanelText } from "./panel-parts.tsx";
import { ReasonPanel } from "./ReasonPanel.tsx";
import type { DropsState } from "./use-drops-state.ts";
import type { ReasonTexts } from "./use-reason-texts.ts";

interface Props {
  readonly state: DropsState;
  readonly lines: readonly CauseLine[] | undefined;
  readonly failures: readonly FailedEdge[] | undefined;
  readonly facets: DropsFacetsAnswer | undefined;
  readonly texts: ReasonTexts | undefined;
  readonly total: number;
  readonly colors: ReadonlyMap<string, MarkColor>;
}

/** What every panel of the page gets. */
export interface PanelContext {
  readonly lines: readonly CauseLine[];
  readonly failures: readonly FailedEdge[];
  readonly texts: ReasonTexts;
  /** Packets of the page, for shares. */
  readonly total: number;
  readonly colors: ReadonlyMap<string, MarkColor>;
  select(selection: Selection | undefined): void;
}

/** The panel of what the URL selects: a reason, a cause or the failures of an edge. */
export function DropsPanel({ state, lines, failures, facets, texts, total, colors }: Props) {
  const { selection, select } = state;
  if (
    selection === undefined ||
    texts === undefined ||
    lines === undefined ||
    facets === undefined ||
    failures === undefined
  )
    return null;
  const context: PanelContext = { lines, failures, texts, total, colors, select };
  if (selection.kind === "reason") {
    const drops = facets.reason.find((value) => value.label === selection.reason)?.drops ?? 0;
    return <ReasonPanel key={selection.reason} reason={selection.reason} drops={drops} context={context} />;
  }
  if (selection.kind === "cause") {
    const line = lines.find((one) => one.key === selection.key);
    return line === undefined ? (
      <Gone state={state} hidden={facets.hidden.length > 0} />
    ) : (
      <CausePanel key={line.key} line={line} context={context} />
    );
  }
  const edge = failures.find((one) => failureKey(one) === selection.key);
  return edge === undefined ? (
    <Gone state={state} hidden={facets.hidden.length > 0} />
  ) : (
    <FailurePanel key={selection.key} edge={edge} context={context} />
  );
}

/** A link to what another range or filter had, or to a drop that is hidden as normal. */
function Gone({ state, hidden }: { readonly state: DropsState; readonly hidden: boolean }) {
  const maybeHidden = hidden && !state.noise;
  return (
    <Panel
      kind="Selected before"
      title={maybeHidden ? "Not among what is shown" : "Not in this range"}
      onClose={() => state.select(undefined)}
      foot={
        maybeHidden ? <Button onClick={() => state.setNoise(true)}>Show what is hidden as normal</Button> : undefined
      }
    >
      <PanelText>
        {maybeHidden
          ? "What was selected is hidden as normal, did not happen in this range, or is left out by the filter."
          : "What was selected did not happen in this range, or the filter leaves it out. It comes back with the range or filter that it was found with."}
      </PanelText>
    </Panel>
  );
}

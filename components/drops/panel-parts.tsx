"use client";

import { ChevronRight, Link2, Map as MapIcon, Rows3 } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { protocolName, type Flow } from "../../model/flow.ts";
import { hookInWords } from "../../model/reasons/drop-place.ts";
import type { FilledCheck } from "../../model/reasons/checks.ts";
import type { DropDescription } from "../../model/reasons/lookup.ts";
import type { ExampleAnswer } from "../../model/wire/answers/drops.ts";
import type { Named } from "../../model/wire/answers/parts.ts";
import { edgeKey } from "../map/graph-from-answer.ts";
import { rowName } from "../flows/rows.ts";
import { usePageLink } from "../frame/use-page-link.ts";
import { PolicyMenu } from "../policies/PolicyMenu.tsx";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Button, buttonClass } from "../parts/Button.tsx";
import { CopyButton } from "../parts/CopyButton.tsx";
import { clockMillis, count, duration } from "../parts/numbers.ts";
import { PanelSection } from "../parts/Panel.tsx";
import { useToast } from "../parts/Toast.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import type { Answer } from "../questions/use-question.ts";
import { directionWords, type Place } from "./cause-lines.ts";
import styles from "./panel.module.css";
import type { ReasonTexts } from "./use-reason-texts.ts";

/** A paragraph that stands alone in a panel. */
export function PanelText({ children }: { readonly children: ReactNode }) {
  return <p className={styles.alone}>{children}</p>;
}

/** What the reason means, and what the sender noticed: in the example's own connection where that is known, else as a rule. */
export function Meaning({
  text,
  life,
  texts,
}: {
  readonly text: DropDescription;
  readonly life: readonly Flow[] | undefined;
  readonly texts: ReasonTexts;
}) {
  const failed = life?.find((flow) => flow.kind === "fail");
  const waited = failed === undefined ? 0 : failed.connectUs || failed.durationUs;
  return (
    <PanelSection title="What it means">
      <p className={styles.prose}>{text.meaning}</p>
      {text.known ? (
        <p className={styles.prose}>
          {failed === undefined ? (
            <>As a rule the sender notices: {text.senderSees}.</>
          ) : (
            <>
              In the example below the program got <code>{failed.reason}</code>
              {waited === 0 ? "" : ` after ${duration(waited)}`}: {texts.describeErrno(failed.reason).inWords}.
            </>
          )}
        </p>
      ) : null}
    </PanelSection>
  );
}

const DEVICES = 4;

/** Where the packets died: function, hook and direction in words, devices and nodes. */
export function Where({
  text,
  places,
  family,
}: {
  readonly text: DropDescription;
  readonly places: readonly Place[];
  readonly family: string;
}) {
  const total = places.reduce((sum, place) => sum + place.drops, 0);
  const nodes = new Set(places.map((place) => place.node));
  const spots = [
    ...Map.groupBy(places, ({ location, hook, passage, toward }) => [location, hook, passage, toward].join("\n")),
  ];
  return (
    <PanelSection title="Where in the kernel" note={nodes.size === 1 ? [...nodes][0] : `${nodes.size} nodes`}>
      <ul className={styles.places}>
        {spots.map(([key, list]) => {
          const { location, hook } = list[0]!;
          return (
            <li key={key}>
              <code className={styles.function}>{location === "" ? "function not told" : location}</code>
              <span>
                {spots.length === 1
                  ? ""
                  : `${count(list.reduce((sum, place) => sum + place.drops, 0))} of ${count(total)}`}
              </span>
              <small>
                {[location === text.location && text.where !== undefined ? text.where : "", family]
                  .filter((part) => part !== "")
                  .join(", ")}
              </small>
              {hook === "" ? null : (
                <small>
                  hook <b>{hook}</b>
                  {hookInWords(hook) === undefined ? "" : `: ${hookInWords(hook)}`}
                </small>
              )}
              <small>{directionWords(list[0]!)}</small>
              <small>
                {[...Map.groupBy(list, (place) => `${place.device} ${place.node}`).values()]
                  .slice(0, DEVICES)
                  .map(([first, ...more], index) => (
                    <span key={`${first!.device} ${first!.node}`}>
                      {index === 0 ? "device " : ", "}
                      {first!.device === "" ? "unknown" : <code>{first!.device}</code>}
                      {nodes.size === 1 ? "" : ` on ${first!.node}`}
                      {list.length === 1
                        ? ""
                        : `: ${count([first!, ...more].reduce((sum, place) => sum + place.drops, 0))}`}
                    </span>
                  ))}
              </small>
            </li>
          );
        })}
      </ul>
    </PanelSection>
  );
}

/** Only for drops that a rule or program decided: what the kernel tells of it, and what it does not. */
export function WhoDecided({ text }: { readonly text: DropDescription }) {
  if (text.decidedBy === undefined) return null;
  return (
    <PanelSection title="Who decided" note="as the kernel tells it">
      <p className={styles.prose}>A rule or a program, on purpose. {text.decidedBy} The commands below find it.</p>
    </PanelSection>
  );
}

/** Commands with this flow's own addresses, ports and device, each to copy. */
export function Checks({
  checks,
  flow,
}: {
  readonly checks: readonly FilledCheck[];
  readonly flow: Flow | null | undefined;
}) {
  if (checks.length === 0) return null;
  const inside = flow !== null && flow !== undefined && flow.netns > 0 ? namespaceCheck(flow.netns) : undefined;
  const all = inside === undefined ? checks : [inside, ...checks];
  return (
    <PanelSection
      title="What to check"
      note={flow?.node === undefined || flow.node === "" ? undefined : `on ${flow.node}`}
    >
      <ol className={styles.checks}>
        {all.map((check) => (
          <li key={check.command}>
            <p>{capital(check.why)}</p>
            <div className={styles.command}>
              <code tabIndex={0}>{check.command}</code>
              <CopyButton text={check.command} label="" />
            </div>
          </li>
        ))}
      </ol>
    </PanelSection>
  );
}

/** Rows hold a namespace's number, commands want its name or a process in it. */
function namespaceCheck(netns: number): FilledCheck {
  return {
    command: `lsns -n -t net -o NS,PID,NSFS,COMMAND | grep ${netns}`,
    why: "the packet's network namespace: run what follows in it, with nsenter -n -t PID or ip netns exec NAME",
  };
}

export function WhatToDo({ fix }: { readonly fix: string }) {
  if (fix === "") return null;
  return (
    <PanelSection title="What to do">
      <p className={styles.prose}>{fix}</p>
    </PanelSection>
  );
}

export function LikelyCauses({ causes }: { readonly causes: readonly string[] }) {
  if (causes.length === 0) return null;
  return (
    <PanelSection title="Likely causes" note="most likely first">
      <ol className={styles.numbered}>
        {causes.map((cause) => (
          <li key={cause}>{cause}</li>
        ))}
      </ol>
    </PanelSection>
  );
}

const LIFE_LINES = 8;

/** One real case: its addresses, and what was reported of its connection. */
export function Example({ answer, of }: { readonly answer: Answer<ExampleAnswer>; readonly of: string }) {
  const { data } = answer;
  if (data === undefined)
    return (
      <PanelSection title="Example">
        <AnswerNote answer={answer} of="example" />
      </PanelSection>
    );
  const { flow, life } = data;
  if (flow === null)
    return (
      <PanelSection title="Example">
        <p className={styles.prose}>The single rows of this time are not kept any more; only their sums are.</p>
      </PanelSection>
    );
  const shown = life.length > LIFE_LINES ? [...life.slice(0, LIFE_LINES / 2), ...life.slice(-LIFE_LINES / 2)] : life;
  return (
    <PanelSection title="Example" note={of}>
      <p className={styles.tuple}>
        <code>{endpoint(flow.source.address, flow.source.port)}</code> →{" "}
        <code>{endpoint(flow.destination.address, flow.destination.port)}</code>
      </p>
      <p className={styles.small}>
        {[
          [
            flow.source.endpoint || flow.source.workload,
            flow.destination.endpoint || flow.destination.name || flow.destination.workload,
          ]
            .filter((name) => name !== "")
            .join(" → "),
          flow.service === "" && flow.serviceAddress === ""
            ? ""
            : `through ${flow.service || endpoint(flow.serviceAddress, flow.servicePort)}`,
          life.find((one) => one.process !== "" && one.reporter === "client")?.process ?? "",
        ]
          .filter((part) => part !== "")
          .join(", ")}
      </p>
      <ul className={styles.life}>
        {shown.map((one) => (
          <li key={one.rowId} data-this={one.rowId === flow.rowId}>
            <code>{clockMillis(one.time)}</code>
            <span className={one.kind === "drop" || one.kind === "fail" ? "tone-denied" : undefined}>
              {lifeWords(one)}
            </span>
          </li>
        ))}
      </ul>
      {shown.length < life.length ? (
        <p className={styles.small}>{life.length - shown.length} reports in between are left out.</p>
      ) : null}
    </PanelSection>
  );
}

/** `10.1.0.2:443`, `[fd01::2]:443`, and the address alone where there is no port. */
function endpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function lifeWords(flow: Flow): string {
  const by = flow.reporter === "server" ? ", seen by the server" : "";
  switch (flow.kind) {
    case "drop":
      return `${count(flow.drops)} ${flow.drops === 1 ? "packet" : "packets"} dropped on ${flow.node}: ${flow.reason}${flow.location === "" ? "" : ` at ${flow.location}`}`;
    case "fail": {
      const waited = flow.connectUs || flow.durationUs;
      return `failed${waited === 0 ? "" : ` after ${duration(waited)}`}: ${flow.reason}${by}`;
    }
    case "open":
      return `connected${flow.connectUs === 0 ? "" : ` in ${duration(flow.connectUs)}`}${by}`;
    case "close":
      return `closed${flow.durationUs === 0 ? "" : ` after ${duration(flow.durationUs)}`}${flow.reason === "" ? "" : `: ${flow.reason}`}${flow.retransmits === 0 ? "" : `, ${count(flow.retransmits)} segments sent again`}${by}`;
    case "alive":
      return `open${flow.retransmits === 0 ? "" : `, ${count(flow.retransmits)} segments sent again`}${by}`;
    case "datagram":
      return `${count(flow.packetsToServer)} datagrams there, ${count(flow.packetsToClient)} back${by}`;
    case "verdict":
      return `${flow.verdict}${flow.reason === "" ? "" : `: ${flow.reason}`}${by}`;
  }
}

/** On to the example's connection and to the edge on the map. */
export function PanelFoot({
  flow,
  source,
  destination,
}: {
  readonly flow: Flow | null | undefined;
  readonly source: Named | undefined;
  readonly destination: Named | undefined;
}) {
  const pageLink = usePageLink();
  return (
    <>
      {flow === null || flow === undefined ? null : (
        <Link className={buttonClass({ look: "primary" })} href={pageLink("/flows", flowLink(flow))}>
          <Rows3 size={14} aria-hidden="true" />
          Open this flow
        </Link>
      )}
      {source === undefined || destination === undefined ? null : (
        <Link
          className={buttonClass()}
          href={pageLink("/map", {
            q: undefined,
            sel: edgeKey(`${source.namespace}/${source.workload}`, `${destination.namespace}/${destination.workload}`),
          })}
        >
          <MapIcon size={14} aria-hidden="true" />
          Show on map
        </Link>
      )}
      {source === undefined || destination === undefined ? null : (
        <PolicyMenu
          edge={{
            source,
            destination,
            port:
              flow === null || flow === undefined || flow.destination.port === 0
                ? ""
                : `${protocolName(flow.protocol)} ${flow.destination.port}`,
          }}
        />
      )}
    </>
  );
}

/** SYNs are sent for 135 s at most; a little more shows the whole try. */
const TRY_MS = 150_000;

/** The flows page around the time of `flow`, with its ends and port as filter and the row itself open. */
function flowLink(flow: Flow): Readonly<Record<string, string>> {
  const at = Date.parse(flow.time);
  const port = flow.destination.port === 0 ? "" : ` port:${flow.destination.port}`;
  return {
    q: `src:${flow.source.address} dst:${flow.destination.address}${port}`,
    row: rowName(flow),
    from: new Date(at - TRY_MS).toISOString(),
    to: new Date(at + TRY_MS).toISOString(),
    live: "0",
  };
}

/** A line of a panel that leads on to another selection. */
export function LeadOn({
  children,
  count: value,
  onClick,
}: {
  readonly children: ReactNode;
  readonly count: ReactNode;
  onClick(): void;
}) {
  return (
    <li>
      <button type="button" className={styles.lead} onClick={onClick}>
        <span>{children}</span>
        <b>{value}</b>
        <ChevronRight size={14} aria-hidden="true" />
      </button>
    </li>
  );
}

export function LeadList({ children }: { readonly children: ReactNode }) {
  return <ul className={styles.leads}>{children}</ul>;
}

/** Copies the address of this page with its selection. */
export function CopyLink() {
  const say = useToast();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      say("The link to this is on the clipboard");
    } catch {
      say("The browser does not let this page copy; take the link from the address bar");
    }
  };
  return (
    <Tooltip text="Copy the link to this">
      <Button look="bare" small iconOnly aria-label="Copy the link to this" onClick={() => void copy()}>
        <Link2 size={14} aria-hidden="true" />
      </Button>
    </Tooltip>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import Link from "next/link";
import { protocolName, type Flow, type FlowEnd } from "../../model/flow.ts";
import { quoteFilterValue } from "../../model/filter/parse.ts";
import { usePageLink } from "../frame/use-page-link.ts";
import { PolicyMenu } from "../policies/PolicyMenu.tsx";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Badge } from "../parts/Badge.tsx";
import { Button, buttonClass } from "../parts/Button.tsx";
import { CopyButton } from "../parts/CopyButton.tsx";
import { duration } from "../parts/numbers.ts";
import { FactList, Panel, PanelSection } from "../parts/Panel.tsx";
import { useHowItLived } from "../questions/use-which-flows.ts";
import { localTime } from "./columns.tsx";
import styles from "./Flows.module.css";
import { lifeSteps } from "./life.ts";
import { outcomeTone, outcomeWords } from "./outcome.ts";

interface Props {
  readonly flow: Flow;
  /** "11 of 159,690"; undefined when the flow is not in the list. */
  readonly place: string | undefined;
  onStep(by: number): void;
  onClose(): void;
}

/** An end as policies name it: outside, by its name or address. */
function policyEnd({ namespace, workload, name, address }: FlowEnd): { namespace: string; workload: string } {
  return { namespace, workload: workload === "" || workload === "world" ? name || address : workload };
}

/** One connection's life, from what both ends and every drop on the way reported. */
export function ConnectionPanel({ flow, place, onStep, onClose }: Props) {
  const life = useHowItLived(flow);
  const pageLink = usePageLink();
  const flows = life.data?.flows ?? [];
  const longest = Math.max(flow.durationUs, ...flows.map((one) => one.durationUs), 0);
  const trouble = flows.some((one) => outcomeTone(one) === "denied") || outcomeTone(flow) === "denied";
  const around = `src:${endName(flow.source)} dst:${endName(flow.destination)}`;
  return (
    <Panel
      kind={flow.protocol === 6 ? "Connection" : "Conversation"}
      title={`${shortName(flow.source)} → ${shortName(flow.destination)}`}
      badge={<Badge tone={outcomeTone(flow)}>{sentence(outcomeWords(flow))}</Badge>}
      facts={`${protocolName(flow.protocol)}${flow.destination.port === 0 ? "" : ` ${flow.destination.port}`}${longest > 0 ? ` · ${duration(longest)}` : ""} · ${localTime(flow.time)}`}
      tools={
        place === undefined ? (
          <span>not in this list</span>
        ) : (
          <>
            <span>{place}</span>
            <Button look="bare" small iconOnly aria-label="Newer flow" onClick={() => onStep(-1)}>
              <ChevronLeft size={14} aria-hidden="true" />
            </Button>
            <Button look="bare" small iconOnly aria-label="Older flow" onClick={() => onStep(1)}>
              <ChevronRight size={14} aria-hidden="true" />
            </Button>
          </>
        )
      }
      onClose={onClose}
      foot={
        <>
          {trouble ? (
            <Link className={buttonClass({ look: "primary" })} href={pageLink("/drops", { q: around })}>
              Why dropped
            </Link>
          ) : null}
          <Link
            className={buttonClass({ look: trouble ? "plain" : "primary" })}
            href={pageLink("/map", { sel: `${nodeKey(flow.source)} → ${nodeKey(flow.destination)}` })}
          >
            On the map
          </Link>
          <PolicyMenu
            edge={{
              source: policyEnd(flow.source),
              destination: policyEnd(flow.destination),
              port: flow.destination.port === 0 ? "" : `${protocolName(flow.protocol)} ${flow.destination.port}`,
            }}
          />
          <CopyButton
            text={`weir observe --since ${flow.time.slice(0, 19)}Z ${around} port:${flow.destination.port}`}
            label="CLI"
          />
        </>
      }
    >
      <PanelSection title="Life" note="every report, oldest first">
        {life.data === undefined ? <AnswerNote answer={life} of="connection" /> : <Life flows={flows} />}
      </PanelSection>
      <PanelSection title="Who and where">
        <FactList
          facts={[
            { name: "From", value: <End end={flow.source} /> },
            { name: "To", value: <End end={flow.destination} /> },
            ...(flow.servicePort === 0
              ? []
              : [{ name: "Through", value: `${flow.service} ${flow.serviceAddress}:${flow.servicePort}` }]),
            ...(flow.process === ""
              ? []
              : [{ name: "Process", value: <code>{`${flow.process}, pid ${flow.pid}`}</code> }]),
            { name: "Verdict", value: flow.reason === "" ? flow.verdict : `${flow.verdict}, ${flow.reason}` },
            { name: "Reported by", value: reportedBy(flow, flows) },
            { name: "Row", value: <code>{flow.rowId}</code> },
          ]}
        />
      </PanelSection>
    </Panel>
  );
}

/** Who told: `both ends, on node-a and node-b`. */
function reportedBy(flow: Flow, flows: readonly Flow[]): string {
  const sockets = flows.filter((one) => one.reporter === "client" || one.reporter === "server");
  const sides = new Set(sockets.map((one) => one.reporter));
  const nodes = [...new Set(sockets.map((one) => one.node))];
  return sides.size === 2
    ? `both ends, on ${nodes.join(" and ")}`
    : `${flow.reporter === "path" ? "its way" : flow.reporter}, on ${flow.node}`;
}

/** As words begin that stand alone. */
function sentence(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function Life({ flows }: { readonly flows: readonly Flow[] }) {
  const steps = lifeSteps(flows);
  return (
    <ol className={styles.life}>
      {steps.map((step) => (
        <li key={step.key}>
          <span className={styles.at}>{step.atUs === 0 ? "0 ms" : duration(step.atUs)}</span>
          <span className={styles.dot} data-tone={step.tone} />
          <span className={styles.what}>
            <b className={step.tone === "denied" ? "tone-denied" : undefined}>{step.title}</b>
            <small>{step.detail}</small>
          </span>
        </li>
      ))}
    </ol>
  );
}

function End({ end }: { readonly end: FlowEnd }) {
  const address = end.address.includes(":") ? `[${end.address}]` : end.address;
  return (
    <>
      <code>
        {address}:{end.port}
      </code>{" "}
      <small className={styles.whose}>
        {[end.endpoint, end.name, `id ${end.id}`].filter((part) => part !== "").join(", ")}
      </small>
    </>
  );
}

function shortName(end: FlowEnd): string {
  if (end.workload !== "" && end.workload !== "world") return end.workload;
  return end.name === "" ? end.address : end.name;
}

/** An end as the filter language names it. */
function endName(end: FlowEnd): string {
  if (end.workload === "" || end.workload === "world") return end.address;
  return quoteFilterValue(end.namespace === "" ? end.workload : `${end.namespace}/${end.workload}`);
}

function nodeKey(end: FlowEnd): string {
  return `${end.namespace}/${end.workload}`;
}

"use client";

import Link from "next/link";
import type { EdgeDetails, MapEdge, SeriesAnswer } from "../../model/wire/answers/map.ts";
import { protocolName } from "../../model/flow.ts";
import { usePageLink } from "../frame/use-page-link.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { quoteFilterValue } from "../../model/filter/parse.ts";
import { PolicyMenu } from "../policies/PolicyMenu.tsx";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Badge } from "../parts/Badge.tsx";
import { buttonClass } from "../parts/Button.tsx";
import { CrosshairProvider } from "../parts/chart-frame.tsx";
import { bytes, clockSeconds, count, duration, figures, perSecond, share } from "../parts/numbers.ts";
import { Panel, PanelSection } from "../parts/Panel.tsx";
import { TimeSeries } from "../parts/TimeSeries.tsx";
import { usePulse } from "../questions/live.tsx";
import { useHowItWent, useWhatPassed } from "../questions/use-edge.ts";
import { failureWords } from "./failure-words.ts";
import type { MapIndex } from "./graph-from-answer.ts";
import type { GraphEdge, GraphNode } from "./graph.ts";
import { toneOfState } from "./MapTable.tsx";
import styles from "./panels.module.css";

/** One edge: how much, how it failed, where, by whom; then on to its flows or its drops. */
export function EdgePanel({
  edge,
  index,
  onClose,
}: {
  readonly edge: GraphEdge;
  readonly index: MapIndex;
  onClose(): void;
}) {
  const list = index.edgesOf.get(edge.key) ?? [];
  const sources = [...new Set(list.map((item) => item.source))];
  const destinations = [...new Set(list.map((item) => item.destination))];
  const details = useWhatPassed(sources, destinations);
  const series = useHowItWent(sources, destinations);
  const pageLink = usePageLink();
  const now = useRateNow(list);
  const source = index.graph.nodes.find((node) => node.key === edge.source);
  const target = index.graph.nodes.find((node) => node.key === edge.target);
  if (source === undefined || target === undefined) return null;
  const q = `src:${filterName(source)} dst:${filterName(target)}`;
  const port = details.data?.ports[0];
  const wentWrong = (details.data?.total.drops ?? 0) + (details.data?.total.failed ?? 0) > 0;
  return (
    <Panel
      kind="Edge"
      title={`${source.name} → ${target.name}`}
      badge={<Badge tone={toneOfState(edge.state)}>{STATE_BADGES[edge.state]}</Badge>}
      facts={[
        source.namespace === target.namespace
          ? source.namespace
          : [source.namespace, target.namespace].filter((name) => name !== "").join(" to "),
        port === undefined ? "" : `${protocolName(port.protocol)} ${port.port}`,
        details.data?.firstSeen === null || details.data === undefined
          ? ""
          : `since ${clockSeconds(details.data.firstSeen)}`,
        now === undefined ? "" : `${perSecond(now)} now`,
      ]
        .filter((part) => part !== "")
        .join(" · ")}
      onClose={onClose}
      foot={
        <>
          {wentWrong ? (
            <Link className={buttonClass({ look: "primary" })} href={pageLink("/drops", { q })}>
              See why
            </Link>
          ) : null}
          <Link className={buttonClass(wentWrong ? {} : { look: "primary" })} href={pageLink("/flows", { q })}>
            Open flows
          </Link>
          <PolicyMenu
            edge={{
              source: { namespace: source.namespace, workload: source.name },
              destination: { namespace: target.namespace, workload: target.name },
              port: port === undefined ? "" : `${protocolName(port.protocol)} ${port.port}`,
            }}
            keepsFilter
          />
        </>
      }
    >
      {details.data === undefined ? (
        <AnswerNote answer={details} of="edge" />
      ) : (
        <EdgeSections details={details.data} series={series.data} seconds={index.seconds} />
      )}
    </Panel>
  );
}

/** Connections of an edge in the last second, from the collector's pulse; undefined while there is none, or it left this edge out. */
function useRateNow(list: readonly MapEdge[]): number | undefined {
  const { live } = useUrlState();
  const pulse = usePulse(live);
  if (!live || pulse === undefined) return undefined;
  const pairs = new Set(list.map((edge) => `${edge.source} ${edge.destination}`));
  const found = pulse.edges.filter((edge) => pairs.has(`${edge.source.id} ${edge.destination.id}`));
  if (found.length === 0 && pulse.edgesLeftOut > 0) return undefined;
  return found.reduce((sum, edge) => sum + edge.opened + edge.failed, 0);
}

/** A node as the filter language names it. */
export function filterName(node: GraphNode): string {
  return quoteFilterValue(node.namespace === "" ? node.name : `${node.namespace}/${node.name}`);
}

const STATE_BADGES: Readonly<Record<GraphEdge["state"], string>> = {
  "newly-denied": "Newly denied",
  "newly-allowed": "Newly allowed",
  denied: "Stopped",
  failing: "Failing",
  degraded: "Retransmits",
  fresh: "New",
  gone: "Gone",
  allowed: "Allowed",
};

interface SectionsProps {
  readonly details: EdgeDetails;
  readonly series: SeriesAnswer | undefined;
  /** What rates are means over, as on the map. */
  readonly seconds: number;
}

function EdgeSections({ details, series, seconds }: SectionsProps) {
  const { total } = details;
  const attempts = total.opened + total.failed;
  return (
    <>
      <EdgeCharts details={details} series={series} seconds={seconds} />
      {details.failures.length === 0 ? null : (
        <PanelSection title="Failures" note={`${count(total.failed)} in range, newest first`}>
          <ul className={styles.rows}>
            {details.failures
              .toSorted((a, b) => b.lastAt - a.lastAt)
              .map((failure) => (
                <li key={failure.reason}>
                  <code>{clockSeconds(failure.lastAt)}</code>
                  <span title={failure.reason}>
                    {failureWords(failure.reason)}
                    {failure.medianWaitUs === null ? "" : `, after ${duration(failure.medianWaitUs)}`}
                  </span>
                  <b>{count(failure.count)}</b>
                </li>
              ))}
          </ul>
        </PanelSection>
      )}
      {details.drops.length === 0 ? null : (
        <PanelSection title="Dropped packets" note={`${count(total.drops)} in range`}>
          <ul className={styles.rows}>
            {details.drops.map((drop) => (
              <li key={`${drop.reason} ${drop.location} ${drop.node}`}>
                <code className="tone-denied">{drop.reason}</code>
                <span>{drop.location === "" ? drop.node : `in ${drop.location}`}</span>
                <b>{count(drop.drops)}</b>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
      <PanelSection title="Ports" note="share of connections">
        <ul className={styles.rows}>
          {details.ports.map((port) => (
            <li key={`${port.protocol} ${port.port} ${port.v6}`}>
              <code>
                {protocolName(port.protocol)} {port.port}
              </code>
              <span>{port.v6 ? "IPv6" : "IPv4"}</span>
              <b>{share(port.opened + port.failed, attempts)}</b>
            </li>
          ))}
        </ul>
      </PanelSection>
      {details.services.length === 0 ? null : (
        <PanelSection title="Through services" note="address before translation">
          <ul className={styles.rows}>
            {details.services.map((service) => (
              <li key={`${service.address} ${service.port}`}>
                <code>
                  {service.address}:{service.port}
                </code>
                <span>{service.service}</span>
                <b>{count(service.opened)}</b>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
      {details.processes.length === 0 ? null : (
        <PanelSection title="Processes" note="from the socket's owner">
          <ul className={styles.rows}>
            {details.processes.map((process) => (
              <li key={`${process.side} ${process.process}`}>
                <span>{process.side}</span>
                <code>{process.process}</code>
                <span>
                  {process.endpoints > 1 ? `${count(process.endpoints)} endpoints` : ""}
                  {process.opened > 0 ? <b> {count(process.opened)}</b> : null}
                </span>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
      {details.talkers.length === 0 ? null : (
        <PanelSection title="Top talkers" note="connections">
          <ul className={styles.rows}>
            {details.talkers.slice(0, 6).map((talker) => (
              <li key={`${talker.sourceAddress} ${talker.destinationAddress}`}>
                <span title={`${talker.sourceAddress} → ${talker.destinationAddress}`}>
                  {talker.source === "" ? talker.sourceAddress : talker.source} →{" "}
                  {talker.destination === "" ? talker.destinationAddress : talker.destination}
                </span>
                <b>{count(talker.opened + talker.failed)}</b>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
    </>
  );
}

/** How much over the range: connections, bytes, failed share, RTT; one x axis and one crosshair. */
function EdgeCharts({ details, series, seconds }: SectionsProps) {
  const { zoomTo } = useUrlState();
  const { from, to } = details.answered;
  const { total, rtt } = details;
  const step = series?.bucketMs ?? 0;
  const values = (
    value: (point: SeriesAnswer["points"][number]) => number | null,
    missing: number | null,
  ): (number | null)[] => {
    if (series === undefined || step <= 0) return [];
    const start = Math.floor(from / step) * step;
    const line = Array.from({ length: Math.max(1, Math.ceil((to - start) / step)) }, () => missing);
    for (const point of series.points) {
      const at = Math.round((point.at - start) / step);
      if (at >= 0 && at < line.length) line[at] = value(point);
    }
    return line;
  };
  const perStep = step / 1000;
  const chart = { from, to, stepMs: step, height: 40, onZoom: zoomTo };
  return (
    <CrosshairProvider>
      <section className={styles.charts}>
        <Figure value={figures((total.opened + total.failed) / seconds)} unit="/s" label="connections">
          {step === 0 ? null : (
            <TimeSeries
              {...chart}
              label="Connections a second"
              series={[
                {
                  name: "connections/s",
                  color: "allowed",
                  filled: true,
                  values: values((point) => (point.opened + point.failed) / perStep, 0),
                },
              ]}
            />
          )}
        </Figure>
        <Figure
          value={bytes(total.bytesToClient / seconds)}
          unit="/s"
          label={`received, ${bytes(total.bytesToServer / seconds)}/s sent`}
        >
          {step === 0 ? null : (
            <TimeSeries
              {...chart}
              label="Bytes a second"
              format={(value) => bytes(value).replace(/\.\d+/, "")}
              series={[
                {
                  name: "received/s",
                  color: "allowed",
                  filled: true,
                  values: values((point) => point.bytesToClient / perStep, 0),
                },
                {
                  name: "sent/s",
                  color: "text-2",
                  values: values((point) => point.bytesToServer / perStep, 0),
                },
              ]}
            />
          )}
        </Figure>
        <Figure
          value={share(total.failed, total.opened + total.failed)}
          unit=""
          label={`failed, ${count(total.failed)} of ${count(total.opened + total.failed)}`}
        >
          {step === 0 ? null : (
            <TimeSeries
              {...chart}
              label="Failed attempts a second"
              series={[
                {
                  name: "failed/s",
                  color: "denied",
                  filled: true,
                  values: values((point) => point.failed / perStep, 0),
                },
              ]}
            />
          )}
        </Figure>
        <Figure
          value={[rtt.p50, rtt.p95, rtt.p99].map((us) => (us === null ? "–" : twoFigures(us / 1000))).join(" · ")}
          unit=""
          label="RTT ms p50, p95, p99"
        >
          {step === 0 ? null : (
            <TimeSeries
              {...chart}
              axis
              label="Round-trip time"
              series={[
                {
                  name: "p50",
                  color: "allowed",
                  values: values((point) => (point.rtt.p50 === null ? null : point.rtt.p50 / 1000), null),
                },
                {
                  name: "p95",
                  color: "text-2",
                  values: values((point) => (point.rtt.p95 === null ? null : point.rtt.p95 / 1000), null),
                },
                {
                  name: "p99",
                  color: "text-3",
                  dash: "dotted",
                  values: values((point) => (point.rtt.p99 === null ? null : point.rtt.p99 / 1000), null),
                },
              ]}
            />
          )}
        </Figure>
        {total.retransmits === 0 ? null : (
          <Figure
            value={share(total.retransmits, total.packetsToServer + total.packetsToClient)}
            unit=""
            label={`retransmitted, ${count(total.retransmits)} segments`}
          >
            {step === 0 ? null : (
              <TimeSeries
                {...chart}
                label="Segments sent again a second"
                series={[
                  {
                    name: "resent/s",
                    color: "degraded",
                    filled: true,
                    values: values((point) => point.retransmits / perStep, 0),
                  },
                ]}
              />
            )}
          </Figure>
        )}
      </section>
    </CrosshairProvider>
  );
}

/** Three of them stand on one line. */
function twoFigures(value: number): string {
  return value >= 10 ? count(value) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
}

function Figure({
  value,
  unit,
  label,
  children,
}: {
  readonly value: string;
  readonly unit: string;
  readonly label: string;
  readonly children: React.ReactNode;
}) {
  return (
    <div className={styles.figure}>
      <p>
        <b>{value}</b> {unit}
        <small>{label}</small>
      </p>
      <div>{children}</div>
    </div>
  );
}

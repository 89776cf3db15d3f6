import type { ReactNode } from "react";
import { protocolName, type Flow, type FlowEnd } from "../../model/flow.ts";
import { ToneIcon } from "../parts/Badge.tsx";
import { bytes, duration } from "../parts/numbers.ts";
import type { Column } from "../parts/Table.tsx";
import { WorkloadName } from "../parts/WorkloadName.tsx";
import { outcomeTone, outcomeWords } from "./outcome.ts";

/** Whether ends are shown by name or by address. */
export type EndStyle = "names" | "addresses";

export interface FlowColumn extends Column<Flow> {
  /** Shown unless somebody chose otherwise. */
  readonly first: boolean;
}

const NONE = "–";

/** Every column of the flows table, in its order. */
export function flowColumns(style: EndStyle, bothEnds: ReadonlySet<string> = new Set()): readonly FlowColumn[] {
  const end = (of: FlowEnd): ReactNode =>
    style === "names" ? (
      <WorkloadName end={of} />
    ) : (
      <code>
        {of.address.includes(":") ? `[${of.address}]` : of.address}:{of.port}
      </code>
    );
  return [
    { id: "time", title: "Time", width: "98px", first: true, cell: (flow) => <code>{localTime(flow.time)}</code> },
    {
      id: "state",
      title: "",
      width: "28px",
      first: true,
      cell: (flow) => <ToneIcon tone={outcomeTone(flow)} label={outcomeWords(flow)} />,
    },
    { id: "source", title: "Source", width: "minmax(140px, 2fr)", first: true, cell: (flow) => end(flow.source) },
    {
      id: "destination",
      title: "Destination",
      width: "minmax(140px, 2fr)",
      first: true,
      cell: (flow) => end(flow.destination),
    },
    {
      id: "port",
      title: "Port",
      width: "88px",
      first: true,
      cell: (flow) => (
        <code>
          <span className="soft">{protocolName(flow.protocol)}</span>{" "}
          {flow.destination.port === 0 ? "" : flow.destination.port}
        </code>
      ),
    },
    {
      id: "outcome",
      title: "Outcome",
      width: "minmax(86px, 1fr)",
      first: true,
      cell: (flow) => (
        <span className={outcomeTone(flow) === "denied" ? "tone-denied" : undefined}>{outcomeWords(flow)}</span>
      ),
    },
    {
      id: "reason",
      title: "Reason",
      width: "150px",
      first: false,
      cell: (flow) => <code>{flow.reason}</code>,
    },
    {
      id: "sent",
      title: "Sent",
      width: "74px",
      numeric: true,
      first: true,
      cell: (flow) => (flow.bytesToServer === 0 ? NONE : bytes(flow.bytesToServer)),
    },
    {
      id: "received",
      title: "Received",
      width: "78px",
      numeric: true,
      first: true,
      cell: (flow) => (flow.bytesToClient === 0 ? NONE : bytes(flow.bytesToClient)),
    },
    {
      id: "rtt",
      title: "RTT",
      width: "72px",
      numeric: true,
      first: true,
      cell: (flow) => (flow.rttUs === 0 ? NONE : duration(flow.rttUs)),
    },
    {
      id: "resent",
      title: "Resent",
      width: "60px",
      numeric: true,
      first: true,
      cell: (flow) => <span className={flow.retransmits > 0 ? "tone-degraded" : undefined}>{flow.retransmits}</span>,
    },
    {
      id: "duration",
      title: "Duration",
      width: "86px",
      numeric: true,
      first: false,
      cell: (flow) => (flow.durationUs === 0 ? NONE : duration(flow.durationUs)),
    },
    {
      id: "connect",
      title: "Connect",
      width: "78px",
      numeric: true,
      first: false,
      cell: (flow) => (flow.connectUs === 0 ? NONE : duration(flow.connectUs)),
    },
    { id: "drops", title: "Drops", width: "60px", numeric: true, first: false, cell: (flow) => flow.drops },
    {
      id: "packets",
      title: "Packets",
      width: "76px",
      numeric: true,
      first: false,
      cell: (flow) => flow.packetsToServer + flow.packetsToClient,
    },
    {
      id: "reporter",
      title: "Reported by",
      width: "86px",
      first: false,
      cell: (flow) => (bothEnds.has(flow.rowId) ? "both ends" : flow.reporter),
    },
    {
      id: "process",
      title: "Process",
      width: "120px",
      first: false,
      cell: (flow) => (
        <code>{flow.process === "" ? NONE : `${flow.process}${flow.pid === 0 ? "" : ` ${flow.pid}`}`}</code>
      ),
    },
    {
      id: "service",
      title: "Service",
      width: "150px",
      first: false,
      cell: (flow) =>
        flow.servicePort === 0
          ? NONE
          : `${flow.service === "" ? flow.serviceAddress : flow.service}:${flow.servicePort}`,
    },
    { id: "node", title: "Node", width: "110px", first: false, cell: (flow) => flow.node },
    {
      id: "location",
      title: "Kernel function",
      width: "150px",
      first: false,
      cell: (flow) => <code>{flow.location === "" ? NONE : flow.location}</code>,
    },
    {
      id: "device",
      title: "Device",
      width: "100px",
      first: false,
      cell: (flow) => <code>{flow.device === "" ? NONE : flow.device}</code>,
    },
    {
      id: "name",
      title: "DNS name",
      width: "160px",
      first: false,
      cell: (flow) => (flow.destination.name === "" ? NONE : flow.destination.name),
    },
  ];
}

/** Two lines a row, as large as a finger. */
export function narrowFlowColumns(styles: { readonly two: string | undefined }): readonly FlowColumn[] {
  const name = (end: FlowEnd): string =>
    end.workload !== "" && end.workload !== "world" ? end.workload : end.name === "" ? end.address : end.name;
  return [
    {
      id: "state",
      title: "",
      width: "34px",
      first: true,
      cell: (flow) => <ToneIcon tone={outcomeTone(flow)} label={outcomeWords(flow)} />,
    },
    {
      id: "ends",
      title: "Source → destination",
      width: "minmax(150px, 1fr)",
      first: true,
      cell: (flow) => (
        <span className={styles.two}>
          <span>
            {name(flow.source)} → {name(flow.destination)}{" "}
            <code>{flow.destination.port === 0 ? "" : `:${flow.destination.port}`}</code>
          </span>
          <small className={outcomeTone(flow) === "denied" ? "tone-denied" : undefined}>{outcomeWords(flow)}</small>
        </span>
      ),
    },
    {
      id: "time",
      title: "Time",
      width: "104px",
      numeric: true,
      first: true,
      cell: (flow) => (
        <span className={styles.two}>
          <code>{localTime(flow.time)}</code>
          <small>
            {flow.bytesToServer + flow.bytesToClient === 0 ? "" : bytes(flow.bytesToServer + flow.bytesToClient)}
          </small>
        </span>
      ),
    },
  ];
}

/** `14:17:10.192` in the browser's zone, from an ISO time with nanoseconds. */
export function localTime(iso: string): string {
  const at = new Date(iso.slice(0, 23) + "Z");
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${iso.slice(20, 23)}`;
}

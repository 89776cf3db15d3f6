import pc from "picocolors";
import { protocolName, type Flow, type FlowEnd, type Verdict } from "../../model/flow.ts";

export const FORMATS = ["compact", "table", "json"] as const;
export type Format = (typeof FORMATS)[number];

type Colour = ReturnType<typeof pc.createColors>;

/** Turns flows into lines of text. `header` comes once, before the first. */
export interface Printer {
  readonly header: string | undefined;
  line(flow: Flow): string;
}

/** A printer for a format; `colour` false for files and pipes. Strings of the flow are shown with control characters made visible. */
export function printer(format: Format, colour: boolean): Printer {
  const colours = pc.createColors(colour);
  if (format === "json") return { header: undefined, line: (flow) => asciiControls(JSON.stringify(flow)) };
  if (format === "table")
    return {
      header: colours.bold(
        TABLE.map(([name, width]) => pad(name, width))
          .join("  ")
          .trimEnd(),
      ),
      line: (flow) => tableLine(flow, colours),
    };
  return { header: undefined, line: (flow) => compactLine(flow, colours) };
}

const TABLE: readonly [string, number][] = [
  ["TIME", 15],
  ["SOURCE", 34],
  ["DESTINATION", 34],
  ["PORT", 10],
  ["OUTCOME", 26],
  ["SENT", 9],
  ["RECEIVED", 9],
  ["RTT", 8],
  ["RESENT", 6],
];

/** `23:07:04.123456 storefront/web:43210 -> payments/payments:8443 TCP closed 1.2 kB out 3.4 kB in 12.3 ms`. */
function compactLine(flow: Flow, colours: Colour): string {
  const parts = [
    colours.dim(flow.time.slice(11, 26)),
    `${endText(flow.source)}:${flow.source.port}`,
    "->",
    `${endText(flow.destination)}:${flow.destination.port}`,
    protocolName(flow.protocol),
    paint(flow.verdict, outcome(flow), colours),
  ];
  if (flow.servicePort !== 0)
    parts.push(
      colours.dim(`via ${visible(flow.service === "" ? flow.serviceAddress : flow.service)}:${flow.servicePort}`),
    );
  if (flow.bytesToServer + flow.bytesToClient > 0)
    parts.push(`${bytes(flow.bytesToServer)} out ${bytes(flow.bytesToClient)} in`);
  if (flow.rttUs > 0) parts.push(`rtt ${milliseconds(flow.rttUs)}`);
  if (flow.retransmits > 0) parts.push(colours.yellow(`${flow.retransmits} resent`));
  if (flow.durationUs > 0) parts.push(colours.dim(`after ${milliseconds(flow.durationUs)}`));
  if (flow.process !== "") parts.push(colours.dim(`[${visible(flow.process)}${flow.pid === 0 ? "" : ` ${flow.pid}`}]`));
  return parts.join(" ");
}

function tableLine(flow: Flow, colours: Colour): string {
  const word = outcome(flow);
  const cells = [
    flow.time.slice(11, 26),
    endText(flow.source),
    endText(flow.destination),
    `${protocolName(flow.protocol)} ${flow.destination.port}`,
    word,
    flow.bytesToServer > 0 ? bytes(flow.bytesToServer) : "–",
    flow.bytesToClient > 0 ? bytes(flow.bytesToClient) : "–",
    flow.rttUs > 0 ? milliseconds(flow.rttUs) : "–",
    String(flow.retransmits),
  ].map((cell, i) => pad(cell, TABLE[i]![1]));
  cells[4] = cells[4]!.replace(word, () => paint(flow.verdict, word, colours));
  return cells.join("  ").trimEnd();
}

/** What happened, in a word or two: `open`, `closed`, `failed ECONNREFUSED`, `dropped NO_SOCKET ×12 in tcp_v4_rcv`. */
export function outcome(flow: Flow): string {
  switch (flow.kind) {
    case "open":
      return "open";
    case "close":
      return flow.reason === "" ? "closed" : `closed ${flow.reason}`;
    case "alive":
      return "alive";
    case "fail":
      return `failed ${flow.reason}`;
    case "datagram":
      return flow.opened > 0 ? "begun" : "datagrams";
    case "drop":
      return `dropped ${flow.reason}${flow.drops > 1 ? ` ×${flow.drops}` : ""}${flow.location === "" ? "" : ` in ${visible(flow.location)}`}`;
    case "verdict":
      return flow.verdict;
  }
}

function paint(verdict: Verdict, text: string, colours: Colour): string {
  if (verdict === "failed" || verdict === "dropped" || verdict === "denied") return colours.red(text);
  return verdict === "allowed" ? colours.cyan(text) : text;
}

function endText(end: FlowEnd): string {
  const name =
    end.workload === "" || end.workload === "world" ? (end.name === "" ? end.address : end.name) : end.workload;
  return visible(end.namespace === "" ? name : `${end.namespace}/${name}`);
}

/** Control, escape and text-direction characters written out: names come from strangers and go to a terminal. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

/** The same JSON: JSON.stringify leaves DEL, C1 and direction characters as they are, and they go to a terminal. */
function asciiControls(json: string): string {
  return json.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

function pad(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** Three figures and a unit: 950 B, 1.25 kB, 47.6 MB. */
function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3).replace(/e\+?\d+$/, "")} ${units[unit]}`;
}

function milliseconds(us: number): string {
  const ms = us / 1000;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
}

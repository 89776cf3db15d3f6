import type { Comparison, Line, Section } from "./compare.ts";
import { SECTIONS } from "./compare.ts";

const TITLES: Readonly<Record<Section, string>> = {
  connections: "Connections by edge and outcome",
  bytes: "Payload bytes by edge",
  datagrams: "Datagram exchanges by edge",
  drops: "Dropped packets by reason and edge",
  retransmits: "Segments sent again",
  lookups: "DNS answers by name, type and code",
  names: "Names given to addresses",
  books: "Books: events by type",
};

/** The check as text: what the world made, what the store has seen, what the books call lost. */
export function formatComparison(comparison: Comparison): string {
  const width = Math.max(40, ...comparison.lines.map((line) => line.what.length));
  const row = (what: string, cells: readonly string[], mark: string) =>
    `  ${what.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join("")}  ${mark}`.trimEnd();
  const lines: string[] = [];
  for (const section of SECTIONS) {
    const own = comparison.lines.filter((line) => line.section === section);
    lines.push("", row(TITLES[section], ["made", "seen", "lost"], "").slice(2));
    for (const line of own)
      lines.push(row(line.what, [number(line.made), number(line.seen), number(line.lost)], markOf(line)));
    if (own.length === 0) lines.push("  none");
  }
  if (comparison.byProducts.length > 0) {
    lines.push("", "Also dropped by the kernel, as a consequence (not judged)");
    for (const { reason, location, edge, packets } of comparison.byProducts)
      lines.push(row(`${reason} in ${location} ${edge}`, ["", number(packets), ""], ""));
  }
  const wrong = comparison.lines.filter((line) => !line.agrees);
  const lost = comparison.lines.filter((line) => line.section !== "books").reduce((sum, line) => sum + line.lost, 0);
  lines.push(
    "",
    wrong.length === 0
      ? `All of it is accounted for${lost > 0 ? `; ${number(lost)} are counted as lost` : ", nothing is lost"}.`
      : `${wrong.length} of ${comparison.lines.length} lines differ by more than is counted as lost.`,
  );
  return lines.slice(1).join("\n");
}

function markOf(line: Line): string {
  if (line.agrees) return line.lost > 0 ? "lost, counted" : "";
  return line.seen > line.made ? "seen but not made" : "made but not seen";
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

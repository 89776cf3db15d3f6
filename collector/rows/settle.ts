/** Hot: names the far end of rows whose other side has had time to report, and decides whose report traffic sums use. */
import { By, Kind, Near, rowNs, type FlowRows } from "./flow-rows.ts";
import type { RowContext } from "./row-maker.ts";

/**
 * Fills in the missing parties and `counted` of rows `from` … `rows.length - 1`.
 * counted: the client's report; the server's where nobody of ours reports the client.
 */
export function settle(context: RowContext, rows: FlowRows, from = 0): void {
  const { who, tuples } = context;
  for (let row = from; row < rows.length; row++) {
    const ns = rowNs(rows, row);
    const at = row * 4;
    const protocol = rows.protocol[row]!;
    const netns = rows.netns[row]!;
    const port = rows.destinationPort[row]!;
    const ports = rows.sourcePort[row]! | (port << 16);
    const near = rows.near[row]!;
    let clientTold = 0;
    if (near !== Near.source) {
      clientTold = tuples.ask(rows.source, at, rows.destination, at, ports, protocol, false, ns);
      rows.sourceParty[row] = clientTold > 0 ? clientTold - 1 : who.far(netns, rows.source, at, 0, protocol, ns);
    }
    if (near !== Near.destination) {
      const told = tuples.ask(rows.source, at, rows.destination, at, ports, protocol, true, ns);
      rows.destinationParty[row] = told > 0 ? told - 1 : who.far(netns, rows.destination, at, port, protocol, ns);
    }
    if (rows.kind[row] === Kind.drop) continue;
    if (rows.reporter[row] === By.client) rows.counted[row] = 1;
    else rows.counted[row] = clientTold > 0 || who.hasAgent(netns, rows.source, at, ns) ? 0 : 1;
  }
}

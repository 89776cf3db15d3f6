import { describe, expect, it } from "vitest";
import type { Flow } from "../../model/flow.ts";
import { identityId } from "../../model/identity.ts";
import { outcome, printer, visible } from "./format.ts";

const end = (namespace: string, workload: string, address: string, port: number) => ({
  id: identityId("300"),
  namespace,
  workload,
  endpoint: "",
  address,
  port,
  name: "",
});
const flow: Flow = {
  rowId: "a/b/1/0/7",
  time: "2026-11-24T14:17:10.018123456Z",
  node: "a",
  kind: "close",
  verdict: "allowed",
  reason: "",
  reporter: "client",
  direction: "egress",
  protocol: 6,
  source: end("storefront", "web", "10.0.0.1", 43210),
  destination: end("payments", "payments", "10.0.0.2", 8443),
  serviceAddress: "",
  servicePort: 0,
  service: "",
  process: "node",
  pid: 71,
  opened: 0,
  closed: 1,
  failed: 0,
  drops: 0,
  bytesToServer: 1234,
  bytesToClient: 4_100_000,
  packetsToServer: 9,
  packetsToClient: 12,
  retransmits: 0,
  rttUs: 380,
  minRttUs: 300,
  connectUs: 400,
  durationUs: 8_420_000,
  location: "",
  device: "",
  netns: 0,
  icmpType: 0,
  icmpCode: 0,
  tcpFlags: 0,
  hook: "",
  passage: "unknown",
  toward: "unknown",
  socket: "1",
};

describe("weir observe", () => {
  it("writes one flow as one compact line", () => {
    expect(printer("compact", false).line(flow)).toBe(
      "14:17:10.018123 storefront/web:43210 -> payments/payments:8443 TCP closed 1.23 kB out 4.10 MB in rtt 0.380 ms after 8420 ms [node 71]",
    );
  });

  it("says what was dropped, how often and where", () => {
    expect(
      outcome({ ...flow, kind: "drop", verdict: "dropped", reason: "NO_SOCKET", drops: 12, location: "tcp_v4_rcv" }),
    ).toBe("dropped NO_SOCKET ×12 in tcp_v4_rcv");
  });

  it("writes JSON that reads back as the flow", () => {
    expect(JSON.parse(printer("json", false).line(flow))).toEqual(flow);
  });

  it("never sends a stranger's control characters to the terminal", () => {
    const hostile = { ...flow, process: "a\u001b]52;c;\u0007\u202Eb", source: end("x", "\u001b[2J", "10.0.0.1", 1) };
    expect(JSON.parse(printer("json", false).line(hostile))).toEqual(hostile);
    for (const format of ["compact", "table", "json"] as const) {
      // oxlint-disable-next-line no-control-regex -- the characters that must not come through
      expect(printer(format, false).line(hostile)).not.toMatch(/[\u0000-\u001f\u007f\u202e]/u);
    }
    expect(visible("\u001b")).toBe("\\u{1b}");
  });
});

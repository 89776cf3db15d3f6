import { TrafficAnswer } from "../../model/wire/answers/what-if.ts";

const FROM = Date.parse("2026-11-24T14:00:00Z");
const IDS: Readonly<Record<string, string>> = {
  web: "1001",
  cart: "1002",
  payments: "1003",
  ledger: "1004",
  api: "1005",
};
const NAMESPACES: Readonly<Record<string, string>> = {
  web: "shop",
  cart: "shop",
  payments: "pay",
  ledger: "pay",
  api: "",
};

/** The store's answer for a few flows: `web payments 8443 100`. */
export function answer(...flows: readonly string[]): TrafficAnswer {
  const answered = { from: FROM, to: FROM + 3_600_000, by: "tuples_1h", truncated: false };
  return TrafficAnswer.parse({
    tuples: {
      answered,
      tuples: flows.map((flow) => {
        const [source, destination, port, opened] = flow.split(" ") as [string, string, string, string];
        return {
          source: IDS[source],
          destination: IDS[destination],
          sourceAddress: "",
          destinationAddress: "",
          destinationName: "",
          protocol: 6,
          port: Number(port),
          icmpType: 0,
          direction: "egress",
          opened: Number(opened),
          failed: 0,
          drops: 0,
          bytes: 0,
          firstSeen: FROM,
          lastSeen: FROM + 1000,
          sampleRow: "",
        };
      }),
    },
    identities: {
      answered: { ...answered, by: "identities" },
      identities: Object.entries(IDS).map(([name, id]) => ({
        id,
        kind: name === "api" ? "fqdn" : "workload",
        shape: name === "ledger" ? "datastore" : "",
        namespace: NAMESPACES[name],
        workload: name === "api" ? "api.example.com" : name,
        labels: name === "api" ? {} : { app: name },
        firstSeen: FROM,
        lastSeen: FROM + 1000,
      })),
    },
    names: [],
    books: { produced: 1000, lost: 1 },
  });
}

import { TrafficAnswer } from "../model/wire/answers/what-if.ts";
import { random } from "./fill-world.ts";

/** Made-up traffic for bench/editor.ts: `tuples` unique flows between 1,000 workloads of 50 namespaces, the same for the same seed. */
export function madeUpTraffic(tuples: number, seed: number): TrafficAnswer {
  const next = random(seed);
  const to = Math.floor(Date.now() / 60_000) * 60_000;
  const from = to - 3_600_000;
  const workloads = Array.from({ length: 1000 }, (_, i) => ({
    id: String(1000 + i),
    kind: "workload",
    shape: "workload",
    namespace: `team-${i % 50}`,
    workload: `app-${i}`,
    labels: { app: `app-${i}`, tier: i % 3 === 0 ? "front" : "back", team: `team-${i % 50}` },
    firstSeen: from,
    lastSeen: to,
  }));
  const seen = new Set<number>();
  const rows: unknown[] = [];
  while (rows.length < tuples) {
    const source = Math.floor(next() * 1000);
    const destination = Math.floor(next() * 1000);
    const port = 8000 + Math.floor(next() * 20);
    const key = (source * 1000 + destination) * 32 + (port - 8000);
    if (seen.has(key)) continue;
    seen.add(key);
    rows.push({
      source: workloads[source]!.id,
      destination: workloads[destination]!.id,
      sourceAddress: "",
      destinationAddress: "",
      destinationName: "",
      protocol: 6,
      port,
      icmpType: 0,
      direction: "egress",
      opened: 1 + Math.floor(next() * 1000),
      failed: 0,
      drops: 0,
      bytes: 1000,
      firstSeen: from,
      lastSeen: to - Math.floor(next() * 3_600_000),
      sampleRow: "",
    });
  }
  const answered = { from, to, truncated: false };
  return TrafficAnswer.parse({
    tuples: { answered: { ...answered, by: "tuples_1h" }, tuples: rows },
    identities: { answered: { ...answered, by: "identities" }, identities: workloads },
    names: [],
    books: { produced: tuples * 10, lost: 0 },
  });
}

/** A policy of two rules on one namespace's pods, to be typed in. */
export const BENCH_POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: front
  namespace: team-1
spec:
  podSelector: {}
  ingress:
    - from:
        - namespaceSelector: {}
          podSelector:
            matchLabels:
              tier: front
      ports:
        - protocol: TCP
          port: 8001
    - from:
        - podSelector: {}
`;

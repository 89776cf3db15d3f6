import fc from "fast-check";
import { expect, test } from "vitest";
import { cidrContains, parseAddress } from "../../model/address.ts";
import { answerColumns } from "../engine.ts";
import { selectorMatches } from "../parse/label-selector.ts";
import type { NetworkPolicyPort, NetworkPolicySpec } from "../parse/network-policy.ts";
import { parsePolicies } from "../parse/policies.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import { compilePolicies } from "../profiles.ts";
import { VERDICT_BITS } from "../verdict.ts";
import { EMPTY_WORLD, type World, type WorldEndpoint } from "../world.ts";
import { WorldIndex } from "../world-index.ts";

/** NetworkPolicy v1 in the words of its specification, with nothing compiled: the judge of the tables. */
function allows(
  world: World,
  documents: readonly PolicyDocument[],
  from: WorldEndpoint | string,
  to: WorldEndpoint | string,
  port: number,
): { egress: boolean; ingress: boolean } {
  const one = (
    subject: WorldEndpoint | string,
    peer: WorldEndpoint | string,
    direction: "ingress" | "egress",
  ): boolean => {
    if (typeof subject === "string" || subject === peer) return true;
    const selecting = documents.filter(({ namespace, spec }) => {
      const { podSelector, policyTypes, egress } = spec as NetworkPolicySpec;
      const types = policyTypes ?? (egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
      return (
        namespace === subject.namespace &&
        selectorMatches(podSelector, subject.labels) &&
        types.includes(direction === "ingress" ? "Ingress" : "Egress")
      );
    });
    if (selecting.length === 0) return true;
    return selecting.some(({ namespace, spec }) =>
      (spec as NetworkPolicySpec)[direction].some((rule) => {
        const peerFits =
          rule.peers.length === 0 ||
          rule.peers.some((it) => {
            const addresses = typeof peer === "string" ? [peer] : peer.addresses;
            if (it.kind === "ip-block")
              return addresses
                .map((text) => parseAddress(text)!)
                .some(
                  (bytes) => cidrContains(it.cidr, bytes) && !it.except.some((inner) => cidrContains(inner, bytes)),
                );
            if (typeof peer === "string") return false;
            const labels = new Map([
              ...world.namespaces.find((ns) => ns.name === peer.namespace)!.labels,
              ["kubernetes.io/metadata.name", peer.namespace],
            ]);
            return (
              (it.namespaces === undefined ? peer.namespace === namespace : selectorMatches(it.namespaces, labels)) &&
              (it.pods === undefined || selectorMatches(it.pods, peer.labels))
            );
          });
        const destination = direction === "ingress" ? subject : peer;
        const portFits = (it: NetworkPolicyPort) => {
          if (it.protocol !== "TCP") return false;
          if (it.port === undefined) return true;
          if (typeof it.port === "number") return it.port <= port && port <= (it.endPort ?? it.port);
          return (
            typeof destination !== "string" &&
            destination.ports.some(
              ({ name, port: number, protocol }) => name === it.port && number === port && protocol === "TCP",
            )
          );
        };
        return peerFits && (rule.ports.length === 0 || rule.ports.some(portFits));
      }),
    );
  };
  return { egress: one(from, to, "egress"), ingress: one(to, from, "ingress") };
}

const label = fc.constantFrom("a", "b", "c");
const labels = fc.dictionary(fc.constantFrom("app", "tier"), label, { maxKeys: 2, noNullPrototype: true });
const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom("app", "tier"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.array(label, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: fc.constantFrom("app", "tier"), operator: fc.constantFrom("Exists", "DoesNotExist") }),
);
const selector = fc.record({ matchLabels: labels, matchExpressions: fc.array(requirement, { maxLength: 2 }) });
const peer = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
  fc.constant({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/30"] } }),
  fc.constant({ ipBlock: { cidr: "0.0.0.0/0" } }),
);
const port = fc.oneof(
  fc.record({ port: fc.constantFrom(80, 443, "http", "none"), protocol: fc.constantFrom("TCP", "UDP") }),
  fc.constant({ port: 80, endPort: 90 }),
  fc.constant({ protocol: "TCP" }),
);
const rules = (peers: "from" | "to") =>
  fc.array(fc.record({ [peers]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) }), {
    maxLength: 2,
  });
const policy = fc.record({
  namespace: fc.constantFrom("x", "y"),
  spec: fc.record({
    podSelector: selector,
    policyTypes: fc.constantFrom(["Ingress"], ["Egress"], ["Ingress", "Egress"], []),
    ingress: rules("from"),
    egress: rules("to"),
  }),
});
const pod = fc.record({ namespace: fc.constantFrom("x", "y"), labels, http: fc.constantFrom(80, 8080) });

test("the tables, explain and the specification's own words agree on random NetworkPolicies, and adding traffic later changes nothing", () => {
  fc.assert(
    fc.property(
      fc.array(policy, { maxLength: 4 }),
      fc.array(pod, { minLength: 2, maxLength: 6 }),
      labels,
      labels,
      (policies, pods, x, y) => {
        const text = policies
          .map(({ namespace, spec }, i) =>
            JSON.stringify({
              apiVersion: "networking.k8s.io/v1",
              kind: "NetworkPolicy",
              metadata: { name: `p${i}`, namespace },
              spec,
            }),
          )
          .join("\n---\n");
        const { documents, problems } = parsePolicies(text, "random.yaml");
        expect(problems).toEqual([]);
        const world: World = {
          ...EMPTY_WORLD,
          namespaces: [
            { name: "x", labels: new Map(Object.entries(x)) },
            { name: "y", labels: new Map(Object.entries(y)) },
          ],
          endpoints: pods.map((it, i) => ({
            namespace: it.namespace,
            name: `p${i}`,
            labels: new Map(Object.entries(it.labels)),
            addresses: [`10.0.0.${i + 1}`],
            serviceAccount: "default",
            ports: [{ name: "http", port: it.http, protocol: "TCP" }],
          })),
        };
        const index = new WorldIndex(world);
        const compiled = compilePolicies(documents, index, "kubernetes");
        const judge = (outside: readonly string[], late: readonly { it: WorldEndpoint; id: number }[] = []) => {
          const sides: { it: WorldEndpoint | string; id: number }[] = [
            ...late,
            ...world.endpoints.map((endpoint, at) => ({ it: endpoint as WorldEndpoint | string, id: at })),
            ...outside.map((address) => ({
              it: address as WorldEndpoint | string,
              id: index.idOf({ kind: "address", address })!,
            })),
          ];
          for (const from of sides)
            for (const to of sides)
              for (const number of [80, 85, 8080]) {
                const answers = answerColumns(1);
                compiled.evaluate(
                  {
                    length: 1,
                    source: Uint32Array.of(from.id),
                    destination: Uint32Array.of(to.id),
                    protocol: Uint8Array.of(6),
                    port: Uint16Array.of(number),
                  },
                  answers,
                );
                const wanted = allows(world, documents, from.it, to.it, number);
                const code = answers.code[0]!;
                expect(
                  {
                    egress: (code & VERDICT_BITS.egressDenied) === 0,
                    ingress: (code & VERDICT_BITS.ingressDenied) === 0,
                  },
                  `${from.id} → ${to.id}:${number}\n${text}`,
                ).toEqual(wanted);
                const verdict = compiled.explain({ source: from.id, destination: to.id, protocol: 6, port: number });
                expect([verdict.egress.verdict === "allow", verdict.ingress.verdict === "allow"]).toEqual([
                  wanted.egress,
                  wanted.ingress,
                ]);
              }
        };
        judge([]);
        judge(["8.8.8.8", "10.9.9.9"]); // sides that come after the tables were made
        const it: WorldEndpoint = {
          ...world.endpoints[0]!,
          name: "late",
          addresses: ["10.0.0.99"],
          labels: new Map([["app", "a"]]),
        };
        judge(["8.8.8.8"], [{ it, id: index.add(it) }]);
        expect(
          compilePolicies(documents, index, "kubernetes").explain({
            source: index.size - 1,
            destination: 0,
            protocol: 6,
            port: 80,
          }),
        ).toEqual(compiled.explain({ source: index.size - 1, destination: 0, protocol: 6, port: 80 }));
      },
    ),
    { numRuns: 150 },
  );
});

/**
 * New cases by seed, without verdicts, for a reference engine to judge: NetworkPolicies (bench/policy/cyclonus/judge), or
 * ClusterNetworkPolicies beside NetworkPolicies (bench/policy/oracle). With every field of the kinds and every way to leave it out.
 *
 *   node bench/policy/random-cases.ts network-policies SEED COUNT | (cd bench/policy/cyclonus && go run ./judge) > judged.jsonl
 *   node bench/policy/random-cases.ts cluster-policies SEED COUNT | (cd bench/policy/oracle && go run .) > judged.jsonl
 *   weir policy verify judged.jsonl
 */
import { stringify } from "yaml";
import { randomClusterPolicy } from "./random-cluster-policy.ts";
import { randomNetworkPolicy } from "./random-network-policy.ts";
import { RandomWorlds } from "./random-world.ts";
import { seededRandom } from "./seeded-random.ts";

const [kind = "network-policies", seedText = "1", countText = "100"] = process.argv.slice(2);
const draw = seededRandom(Number(seedText));
const { random, whole } = draw;
const parts = new RandomWorlds(draw);
const cluster = kind === "cluster-policies";

for (let number = 0; number < Number(countText); number++) {
  const world = parts.world(random() < 0.3 ? 6 : 4);
  const policies = Array.from({ length: whole(1, 6) }, (_, at) =>
    stringify((cluster && random() < 0.7 ? randomClusterPolicy : randomNetworkPolicy)(draw, parts, at, world)),
  );
  const { namespaces, pods } = world;
  const flows = Array.from({ length: 64 }, () => parts.flow(world)).filter(({ src, dst }) => src !== dst);
  const rest = cluster
    ? {
        profile: "cilium",
        dns: [
          { name: "example.com", ips: ["8.8.8.8", "2001:db8::1"] },
          { name: "a.api.example.com", ips: ["8.8.4.4", "2001:db8:0:1::10"] },
        ],
      }
    : { profile: "kubernetes" };
  const id = `random-${kind}-${seedText}-${number}`;
  process.stdout.write(`${JSON.stringify({ id, ...rest, namespaces, pods, policies, flows })}\n`);
}

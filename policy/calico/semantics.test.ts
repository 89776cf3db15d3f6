import { describe, expect, it } from "vitest";
import { parsePolicies } from "../parse/policies.ts";
import type { FlowQuestion } from "../engine.ts";
import { EMPTY_WORLD, type World } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import { compileCalico } from "./compile.ts";
import type { CalicoPolicySet } from "./policy-set.ts";
import { calicoSentences } from "./sentences.ts";

const WORLD: World = {
  ...EMPTY_WORLD,
  namespaces: [
    { name: "shop", labels: new Map([["team", "red"]]) },
    { name: "pay", labels: new Map([["env", "prod"]]) },
  ],
  endpoints: [
    pod("shop", "web", { app: "web" }, "10.0.1.10", [{ name: "http", port: 8080, protocol: "TCP" }]),
    pod("shop", "db", { app: "db" }, "10.0.1.11", []),
    pod("pay", "api", {}, "10.0.2.10", [{ name: "http", port: 80, protocol: "TCP" }]),
    { ...pod("pay", "agent", {}, "10.9.0.1", []), hostNetwork: true },
  ],
  nodes: [
    { name: "n1", addresses: ["10.9.0.1"], labels: new Map(), local: true, kubeApiserver: false, outOfCluster: false },
  ],
};

function pod(
  namespace: string,
  name: string,
  labels: Record<string, string>,
  address: string,
  ports: World["endpoints"][number]["ports"],
) {
  return {
    namespace,
    name,
    labels: new Map(Object.entries(labels)),
    addresses: [address],
    serviceAccount: "default",
    ports,
  };
}

function compiled(yaml: string, world: World = WORLD): CalicoPolicySet {
  const { documents, problems } = parsePolicies(yaml, "p.yaml");
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  return compileCalico(documents, new WorldIndex(world)) as CalicoPolicySet;
}

function flow(set: CalicoPolicySet, source: string, destination: string, port = 80, protocol = 6): FlowQuestion {
  const side = (text: string) => {
    const [namespace, name] = text.split("/");
    const id =
      name === undefined
        ? set.world.idOf({ kind: "address", address: text })
        : set.world.endpointNamed(namespace!, name);
    if (id === undefined) throw new Error(`no side ${text}`);
    return id;
  };
  return { source: side(source), destination: side(destination), protocol, port };
}

const DENY_INGRESS =
  "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: deny}\nspec: {types: [Ingress], ingress: [{action: Deny}]}\n";

function ingressPolicy(rule: string, namespace = ""): string {
  const kind = namespace === "" ? "GlobalNetworkPolicy" : "NetworkPolicy";
  const meta = namespace === "" ? "{name: a}" : `{name: a, namespace: ${namespace}}`;
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${meta}\nspec:\n  ingress:\n  - ${rule.replaceAll("\n", "\n    ")}\n`;
}

describe("what Calico's sources say beyond the cases", () => {
  it("a port's name in notPorts excepts nothing on a pod that matches only by lying in a network set", () => {
    const set =
      "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkSet\nmetadata: {name: g, labels: {kind: partner}}\nspec: {nets: [10.0.2.0/24]}\n";
    const rule = "action: Allow\nprotocol: TCP\ndestination:\n  selector: kind == 'partner'\n  notPorts: [http]";
    const both = compiled(ingressPolicy(rule) + set);
    expect(both.explain(flow(both, "shop/web", "pay/api", 80)).ingress.verdict).toBe("allow");
    const own = compiled(ingressPolicy(rule.replace("kind == 'partner'", "!has(app)")) + set);
    expect(own.explain(flow(own, "shop/web", "pay/api", 80)).ingress.verdict).toBe("deny");
    expect(own.explain(flow(own, "shop/web", "pay/api", 81)).ingress.verdict).toBe("allow");
  });

  it("notICMP without a protocol takes a port's low byte for the type and the high one for the code, as the eBPF programs do", () => {
    const byType = compiled(ingressPolicy("action: Allow\nnotICMP: {type: 8}"));
    const verdict = (set: CalicoPolicySet, port: number, protocol = 6) =>
      set.explain(flow(set, "shop/db", "shop/web", port, protocol)).ingress.verdict;
    expect([8, 264, 9, 2048].map((port) => verdict(byType, port))).toEqual(["deny", "deny", "allow", "allow"]);
    expect([8, 0].map((type) => verdict(byType, type, 1))).toEqual(["deny", "allow"]);
    const byCode = compiled(ingressPolicy("action: Allow\nnotICMP: {type: 8, code: 1}"));
    expect([8, 264].map((port) => verdict(byCode, port))).toEqual(["allow", "deny"]);
  });

  it("a rule whose notNets are all of one family is not there for the other", () => {
    const rule = "action: Allow\nsource: {notNets: [10.0.0.0/8]}";
    const world = {
      ...WORLD,
      endpoints: WORLD.endpoints.map((it, i) => ({ ...it, addresses: [...it.addresses, `fd00::${i + 1}`] })),
    };
    const set = compiled(ingressPolicy(rule), world);
    expect(set.explain(flow(set, "8.8.8.8", "shop/web")).ingress.verdict).toBe("allow");
    expect(set.explain(flow(set, "2001:db8::1", "shop/web")).ingress.verdict).toBe("deny");
  });

  it("a ClusterNetworkPolicy's peer by namespaces takes in NetworkSets of those namespaces, a peer by pods does not", () => {
    const sets =
      "---\napiVersion: projectcalico.org/v3\nkind: NetworkSet\nmetadata: {name: n, namespace: pay}\nspec: {nets: [1.2.3.0/24]}\n";
    const policy = (peer: string) =>
      `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: c}\nspec:\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n  ingress:\n  - {action: Deny, from: [${peer}]}\n`;
    const byNamespaces = compiled(policy("{namespaces: {matchLabels: {env: prod}}}") + sets);
    expect(byNamespaces.explain(flow(byNamespaces, "1.2.3.4", "shop/web")).ingress.verdict).toBe("deny");
    const byPods = compiled(policy("{pods: {namespaceSelector: {matchLabels: {env: prod}}, podSelector: {}}}") + sets);
    expect(byPods.explain(flow(byPods, "1.2.3.4", "shop/web")).ingress.verdict).toBe("allow");
  });

  it("a node reaches its own pods and host-network pods meet no policy", () => {
    const set = compiled(DENY_INGRESS);
    expect(set.explain(flow(set, "10.9.0.1", "shop/web")).ingress.decidedBy).toEqual({
      kind: "builtin",
      name: "builtin/local-node",
    });
    expect(set.explain(flow(set, "shop/web", "pay/agent")).ingress.decidedBy.kind).toBe("no-policy-point");
    expect(set.explain(flow(set, "shop/db", "shop/web")).ingress.verdict).toBe("deny");
  });

  it("a pod reaches itself", () => {
    const set = compiled(DENY_INGRESS);
    expect(set.explain(flow(set, "shop/web", "shop/web")).verdict).toBe("allow");
  });

  it("a policy in a tier that does not exist is asked last, and said to be so", () => {
    const set = compiled(ingressPolicy("action: Allow").replace("spec:", "spec:\n  tier: nosuch"));
    expect(set.problems.map(({ message, severity }) => [severity, message])).toEqual([
      ["warning", "there is no tier nosuch"],
    ]);
    expect(set.explain(flow(set, "shop/db", "shop/web")).ingress.path.map(({ label }) => label)).toEqual([
      "GlobalNetworkPolicy/a#0",
    ]);
  });

  it("a policy with a selector of blanks beside another is not in force, as Calico cannot read the two together", () => {
    const global = ingressPolicy("action: Deny").replace("spec:", "spec:\n  selector: '  '");
    const alone = compiled(global);
    expect(alone.explain(flow(alone, "shop/db", "shop/web")).ingress.verdict).toBe("deny");
    const unread = [
      global.replace("spec:", "spec:\n  namespaceSelector: all()"),
      global.replace("spec:", "spec:\n  serviceAccountSelector: all()"),
      ingressPolicy("action: Deny", "shop").replace("spec:", "spec:\n  selector: '  '"),
      ingressPolicy("action: Deny\nsource: {selector: '  '}", "shop"),
      ingressPolicy("action: Deny\nsource: {selector: '  ', serviceAccounts: {names: [default]}}"),
      ingressPolicy("action: Deny\nsource: {selector: has(app), notSelector: '  '}"),
    ].map((text) => compiled(text));
    for (const set of unread) {
      expect(set.problems.map(({ severity }) => severity)).toEqual(["warning"]);
      expect(set.explain(flow(set, "shop/db", "shop/web")).ingress.verdict).toBe("allow");
    }
  });

  it("of two documents of one name the later one counts, with a warning", () => {
    const set = compiled(`${ingressPolicy("action: Allow")}---\n${ingressPolicy("action: Deny")}`);
    expect(set.policies).toHaveLength(1);
    expect(set.problems).toHaveLength(1);
    expect(set.explain(flow(set, "shop/db", "shop/web")).ingress.verdict).toBe("deny");
  });

  it("an http rule allows on layer 4 and leaves the rest to layer 7", () => {
    const set = compiled(ingressPolicy("action: Allow\nhttp: {methods: [GET]}"));
    const verdict = set.explain(flow(set, "shop/db", "shop/web"));
    expect([verdict.verdict, verdict.ingress.l7]).toEqual(["allow", true]);
  });

  it("kinds that Calico does not read are said to be left out", () => {
    const set = compiled(
      "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a}\nspec: {priority: 1, subject: {namespaces: {}}}\n",
    );
    expect(set.problems.map(({ message }) => message)).toEqual([
      "AdminNetworkPolicy of policy.networking.k8s.io/v1alpha1 is not read by Calico 3.32",
    ]);
  });

  it("an explanation carries the line of the rule that decided", () => {
    const set = compiled(
      ingressPolicy("action: Log\n- action: Deny\nprotocol: UDP".replace("\n- ", "\n- ")).replace(
        "    - action: Deny",
        "  - action: Deny",
      ),
    );
    const { decidedBy } = set.explain(flow(set, "shop/db", "shop/web", 53, 17)).ingress;
    expect(
      decidedBy.kind === "rules"
        ? [decidedBy.rules[0]!.line, decidedBy.rules[0]!.index, decidedBy.rules[0]!.path]
        : undefined,
    ).toEqual([7, 1, "spec.ingress[1]"]);
  });
});

describe("the nearest miss", () => {
  it("names the rule that would have allowed, and what kept it from that", () => {
    const set = compiled(
      ingressPolicy(
        "action: Allow\nprotocol: TCP\nsource: {selector: app == 'web' && tier == 'front'}\ndestination: {ports: [8080]}",
        "shop",
      ),
    );
    const misses = set.nearestMisses("ingress", flow(set, "shop/web", "shop/db", 8443));
    expect(misses.map(({ rule, lacks }) => [rule.line, rule.path, lacks])).toEqual([
      [6, "spec.ingress[0]", ['label tier is "front" on the source', "port TCP 8443 (the rule has 8080)"]],
    ]);
  });

  it("is none where no rule on the way allows", () => {
    const set = compiled(DENY_INGRESS);
    expect(set.nearestMisses("ingress", flow(set, "shop/web", "shop/db"))).toEqual([]);
  });
});

describe("what findings ask", () => {
  it("tells which rules take a flow in, whether the one that decides is needed, and how much each leaves open", () => {
    const set = compiled(
      "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: a}\nspec:\n  ingress:\n  - {action: Allow, protocol: TCP}\n  - {action: Allow, protocol: TCP, destination: {ports: [80]}}\n  - {action: Allow, protocol: UDP, source: {selector: has(app)}, destination: {ports: ['53:54']}}\n",
    );
    const { source, destination } = flow(set, "shop/db", "shop/web");
    const columns = {
      length: 2,
      source: Uint32Array.of(source, source),
      destination: Uint32Array.of(destination, destination),
      protocol: Uint8Array.of(6, 17),
      port: Uint16Array.of(80, 53),
    };
    expect(set.matching(columns, 0, "ingress", 0)).toEqual({ matched: [0, 1], needed: false });
    expect(set.matching(columns, 1, "ingress", 2)).toEqual({ matched: [2], needed: true });
    expect([...set.openness().values()]).toEqual([
      { everyPort: true, everyPeer: true, ports: Infinity },
      { everyPort: false, everyPeer: true, ports: 1 },
      { everyPort: false, everyPeer: false, ports: 2 },
    ]);
  });
});

describe("sentences", () => {
  it("tell a policy and its rules in plain English, each with its line", () => {
    const text = ingressPolicy(
      "action: Allow\nprotocol: TCP\nsource: {selector: app == 'web', namespaceSelector: env != 'prod'}\ndestination: {ports: [80, 8000:8010, http]}",
      "shop",
    );
    const told = parsePolicies(text, "p.yaml").documents.flatMap(calicoSentences);
    expect(told.map(({ text: sentence, position }) => `${position.line} ${sentence}`)).toEqual([
      "1 Governs what reaches all pods of namespace shop; asked last in tier default.",
      '6 Allows TCP to ports 80, 8000–8010 or "http" from pods and network sets of namespaces whose label env is not "prod" (and global network sets) whose label app is "web".',
    ]);
  });
});

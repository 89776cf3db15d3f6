/** Fields of the kinds that are judged, in short: for completion and hover in the editor. The judge of what is right is the parser. */

export interface Field {
  readonly says: string;
  /** What the value is: decides what Enter writes after the name. */
  readonly is: "map" | "list" | "text";
  readonly fields?: Fields;
  readonly values?: readonly string[];
  /** Values or keys that exist in the traffic. */
  readonly from?: "labels" | "namespaces" | "ports" | "protocols" | "domains";
}
export interface Fields {
  readonly [name: string]: Field;
}

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

const LABEL_SELECTOR: Fields = {
  matchLabels: { says: "Labels that all must be there", is: "map", from: "labels" },
  matchExpressions: {
    says: "Conditions on labels, all must hold",
    is: "list",
    fields: {
      key: { says: "The label's name", is: "text" },
      operator: { says: "How it is compared", is: "text", values: ["In", "NotIn", "Exists", "DoesNotExist"] },
      values: { says: "Values for In and NotIn", is: "list" },
    },
  },
};
const PODS: Field = { says: "Which pods, by label; {} is all of them", is: "map", fields: LABEL_SELECTOR };
const NAMESPACES: Field = {
  says: "Which namespaces, by label; kubernetes.io/metadata.name is the name",
  is: "map",
  fields: LABEL_SELECTOR,
};
const PEERS: Field = {
  says: "Who is on the other end; absent or empty is everybody",
  is: "list",
  fields: {
    podSelector: { ...PODS, says: "Pods of the policy's namespace, or of namespaceSelector's beside it" },
    namespaceSelector: NAMESPACES,
    ipBlock: {
      says: "A range of addresses outside the cluster",
      is: "map",
      fields: {
        cidr: { says: "10.0.0.0/8", is: "text" },
        except: { says: "Ranges inside of cidr that are left out", is: "list" },
      },
    },
  },
};
const PORTS: Field = {
  says: "Destination ports; absent is every port",
  is: "list",
  fields: {
    protocol: { says: "TCP where absent", is: "text", values: PROTOCOLS },
    port: { says: "A number, or the name of a container's port", is: "text", from: "ports" },
    endPort: { says: "Last port of a range that begins with port", is: "text" },
  },
};
const NETWORK_POLICY: Fields = {
  podSelector: {
    ...PODS,
    says: "Which pods of this namespace the policy is about; {} is all. They are closed but for what rules allow",
  },
  policyTypes: {
    says: "Which directions are closed; Ingress always where absent, Egress where there are egress rules",
    is: "list",
    values: ["Ingress", "Egress"],
  },
  ingress: {
    says: "What may come in: traffic that one of these matches",
    is: "list",
    fields: { from: PEERS, ports: PORTS },
  },
  egress: {
    says: "What may go out: traffic that one of these matches",
    is: "list",
    fields: { to: PEERS, ports: PORTS },
  },
};

const ENDPOINTS: Field = { says: "Pods by label; {} is all of this namespace", is: "list", fields: LABEL_SELECTOR };
const ENTITIES: Field = {
  says: "Cilium's names: world, host, cluster, …",
  is: "list",
  values: ["world", "cluster", "host", "remote-node", "kube-apiserver", "init", "unmanaged", "all"],
};
const TO_PORTS: Field = {
  says: "Destination ports, and rules for requests on them",
  is: "list",
  fields: {
    ports: {
      says: "Up to 40 ports",
      is: "list",
      fields: {
        port: { says: 'In quotes: "8443"', is: "text", from: "ports" },
        protocol: { says: "ANY where absent", is: "text", values: [...PROTOCOLS, "ANY"] },
      },
    },
    rules: {
      says: "What a proxy lets through on these ports",
      is: "map",
      fields: {
        http: {
          says: "Method and path of requests",
          is: "list",
          fields: {
            method: { says: "A regular expression: GET", is: "text" },
            path: { says: "A regular expression: /cart/.*", is: "text" },
          },
        },
        dns: {
          says: "Names that may be looked up",
          is: "list",
          fields: {
            matchName: { says: "A whole name", is: "text", from: "domains" },
            matchPattern: { says: "With *", is: "text" },
          },
        },
      },
    },
  },
};
const CIDRS: Field = { says: "Ranges of addresses outside", is: "list" };
const CIDR_SET: Field = {
  says: "Ranges with exceptions",
  is: "list",
  fields: { cidr: { says: "10.0.0.0/8", is: "text" }, except: { says: "Left out", is: "list" } },
};
const CILIUM_IN: Fields = {
  fromEndpoints: ENDPOINTS,
  fromEntities: ENTITIES,
  fromCIDR: CIDRS,
  fromCIDRSet: CIDR_SET,
  toPorts: TO_PORTS,
};
const CILIUM_OUT: Fields = {
  toEndpoints: ENDPOINTS,
  toEntities: ENTITIES,
  toCIDR: CIDRS,
  toCIDRSet: CIDR_SET,
  toFQDNs: {
    says: "Names outside; look-ups must go through Cilium's DNS proxy",
    is: "list",
    fields: {
      matchName: { says: "A whole name", is: "text", from: "domains" },
      matchPattern: { says: "With *", is: "text" },
    },
  },
  toPorts: TO_PORTS,
};
const CILIUM: Fields = {
  endpointSelector: { says: "Which pods the policy is about; {} is all", is: "map", fields: LABEL_SELECTOR },
  ingress: { says: "What may come in", is: "list", fields: CILIUM_IN },
  ingressDeny: { says: "What may not come in, whatever allows it", is: "list", fields: CILIUM_IN },
  egress: { says: "What may go out", is: "list", fields: CILIUM_OUT },
  egressDeny: { says: "What may not go out, whatever allows it", is: "list", fields: CILIUM_OUT },
  enableDefaultDeny: {
    says: "Whether the pods are closed but for rules",
    is: "map",
    fields: {
      ingress: { says: "true where absent", is: "text", values: ["true", "false"] },
      egress: { says: "true where absent", is: "text", values: ["true", "false"] },
    },
  },
};

const ADMIN_PEERS: Field = {
  says: "Who is on the other end",
  is: "list",
  fields: {
    namespaces: NAMESPACES,
    pods: { says: "Pods in some namespaces", is: "map", fields: { namespaceSelector: NAMESPACES, podSelector: PODS } },
    networks: { says: "Ranges of addresses (egress)", is: "list" },
  },
};
const ADMIN_RULE = (peers: "from" | "to"): Fields => ({
  name: { says: "For people", is: "text" },
  action: { says: "The first rule that matches decides", is: "text", values: ["Allow", "Accept", "Deny", "Pass"] },
  [peers]: ADMIN_PEERS,
  ports: { says: "Destination ports; absent is every port", is: "list" },
});
const ADMIN: Fields = {
  priority: { says: "Lower numbers are asked first", is: "text" },
  tier: { says: "Admin comes before NetworkPolicy, Baseline after it", is: "text", values: ["Admin", "Baseline"] },
  subject: {
    says: "Which pods the policy is about",
    is: "map",
    fields: {
      namespaces: NAMESPACES,
      pods: {
        says: "Pods in some namespaces",
        is: "map",
        fields: { namespaceSelector: NAMESPACES, podSelector: PODS },
      },
    },
  },
  ingress: { says: "Rules for what comes in, in order", is: "list", fields: ADMIN_RULE("from") },
  egress: { says: "Rules for what goes out, in order", is: "list", fields: ADMIN_RULE("to") },
};

const CALICO_END: Field = {
  says: "An end of the traffic",
  is: "map",
  fields: {
    selector: { says: "An expression on labels: app == 'web'", is: "text" },
    namespaceSelector: { says: "An expression on namespaces' labels", is: "text" },
    nets: { says: "Ranges of addresses", is: "list" },
    ports: { says: "Numbers, ranges (80:90) or names", is: "list", from: "ports" },
  },
};
const CALICO_RULES: Field = {
  says: "Rules in order; the first that matches decides",
  is: "list",
  fields: {
    action: { says: "What happens to traffic that matches", is: "text", values: ["Allow", "Deny", "Log", "Pass"] },
    protocol: { says: "Needed where ports are", is: "text", values: ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6"] },
    source: CALICO_END,
    destination: CALICO_END,
  },
};
const CALICO: Fields = {
  order: { says: "Lower numbers are asked first", is: "text" },
  tier: { says: "Tiers are asked one after the other", is: "text" },
  selector: { says: "Which pods, as an expression: app == 'db'", is: "text" },
  types: { says: "Which directions it is about", is: "list", values: ["Ingress", "Egress"] },
  ingress: CALICO_RULES,
  egress: CALICO_RULES,
};

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly spec: Fields;
}

export const KINDS: readonly Kind[] = [
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespaced: true, spec: NETWORK_POLICY },
  { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", namespaced: true, spec: CILIUM },
  { apiVersion: "cilium.io/v2", kind: "CiliumClusterwideNetworkPolicy", namespaced: false, spec: CILIUM },
  { apiVersion: "policy.networking.k8s.io/v1alpha1", kind: "AdminNetworkPolicy", namespaced: false, spec: ADMIN },
  {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "BaselineAdminNetworkPolicy",
    namespaced: false,
    spec: ADMIN,
  },
  { apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy", namespaced: false, spec: ADMIN },
  { apiVersion: "projectcalico.org/v3", kind: "NetworkPolicy", namespaced: true, spec: CALICO },
  { apiVersion: "projectcalico.org/v3", kind: "GlobalNetworkPolicy", namespaced: false, spec: CALICO },
];

/** The fields of a document, as far as its kind is known. */
export function documentFields(apiVersion: string | undefined, kind: string | undefined): Fields {
  const named = KINDS.filter((it) => it.kind === kind);
  const known = named.find((it) => it.apiVersion === apiVersion) ?? named[0];
  return {
    apiVersion: {
      says: "Group and version of the kind",
      is: "text",
      values: [...new Set(KINDS.map((it) => it.apiVersion))],
    },
    kind: {
      says: "What kind of policy",
      is: "text",
      values: [
        ...new Set(
          (KINDS.some((it) => it.apiVersion === apiVersion)
            ? KINDS.filter((it) => it.apiVersion === apiVersion)
            : KINDS
          ).map((it) => it.kind),
        ),
      ],
    },
    metadata: {
      says: "Name, namespace and labels",
      is: "map",
      fields: {
        name: { says: "Unique in the namespace", is: "text" },
        ...(known?.namespaced === false
          ? {}
          : { namespace: { says: "Whose pods it is about", is: "text", from: "namespaces" as const } }),
        labels: { says: "Of the policy itself", is: "map" },
        annotations: { says: "For people and programs", is: "map" },
      },
    },
    spec: { says: "Whom it selects, and what may pass", is: "map", fields: known?.spec ?? NETWORK_POLICY },
  };
}

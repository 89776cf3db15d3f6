import { BLACK_HOLE, SERVICES, SILENT_HOST, SILENT_HOST_V6, workload, type Service } from "./shop.ts";
import { run } from "./commands.ts";

/**
 * The router's rules. Whatever the world drops on purpose passes exactly one named counter, so the check knows how many packets
 * of which edge died for which reason without asking Weir.
 */
export interface DropCounter {
  readonly counter: string;
  /** The kernel's name of the reason, as Weir is to report it. */
  readonly reason: string;
  /** What people call it in the check's table. */
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** Data packets from catalog to db and back: one in so many is lost. A prime, so that it does not beat with the request pattern. */
const LOSS_ONE_IN = 41;

export const DROP_COUNTERS: readonly DropCounter[] = [
  { counter: "denied", reason: "NETFILTER_DROP", what: "denied by a rule", from: "storefront/cart", to: "data/db" },
  {
    counter: "lost_up",
    reason: "NETFILTER_DROP",
    what: "lossy link, requests",
    from: "storefront/catalog",
    to: "data/db",
  },
  {
    counter: "lost_down",
    reason: "NETFILTER_DROP",
    what: "lossy link, answers",
    from: "data/db",
    to: "storefront/catalog",
  },
  {
    counter: "rejected",
    reason: "NETFILTER_DROP",
    what: "rejected with a reset",
    from: "storefront/catalog",
    to: "payments/ledger",
  },
  { counter: "blackhole", reason: "NOT_SPECIFIED", what: "blackhole route", from: "storefront/web", to: BLACK_HOLE },
  {
    counter: "silent",
    reason: "NEIGH_FAILED",
    what: "nobody answers for the address",
    from: "storefront/catalog",
    to: SILENT_HOST,
  },
  {
    counter: "silent_v6",
    reason: "NOT_SPECIFIED",
    what: "nobody answers for the address",
    from: "storefront/catalog",
    to: SILENT_HOST_V6,
  },
  {
    counter: "closed_udp",
    reason: "NO_SOCKET",
    what: "datagram to a closed port",
    from: "platform/gateway",
    to: "storefront/catalog",
  },
  { counter: "no_listener", reason: "NO_SOCKET", what: "SYN to a closed port", from: "", to: "" },
  { counter: "stray", reason: "NO_SOCKET", what: "segment for a connection that is no more", from: "", to: "" },
];

/** nftables text for the router's namespace. */
export function firewallRules(): string {
  const set = (name: string, family: "v4" | "v6") =>
    `{ ${workload(name)
      .replicas.flatMap((replica) => replica[family])
      .join(", ")} }`;
  const both = (rule: (ip: string, family: "v4" | "v6") => string) =>
    [rule("ip", "v4"), rule("ip6", "v6")].map((line) => `    ${line}`).join("\n");
  const count = (name: string) => `counter name ${name}`;
  return `
table inet shop {
${DROP_COUNTERS.map(({ counter }) => `  counter ${counter} { }`).join("\n")}
  chain services {
    type nat hook prerouting priority dstnat;
${SERVICES.flatMap((service) => [translate(service, "ip", "v4"), translate(service, "ip6", "v6")])
  .map((line) => `    ${line}`)
  .join("\n")}
  }
  chain arriving {
    type filter hook prerouting priority filter;
    ip daddr ${BLACK_HOLE} ${count("blackhole")}
  }
  chain forward {
    type filter hook forward priority filter;
${both((ip, family) => `${ip} saddr ${set("cart", family)} ${ip} daddr ${set("db", family)} tcp dport 5432 ${count("denied")} drop`)}
${both((ip, family) => `${ip} saddr ${set("catalog", family)} ${ip} daddr ${set("ledger", family)} tcp dport 9090 ${count("rejected")} reject with tcp reset`)}
${both((ip, family) => `${ip} saddr ${set("catalog", family)} ${ip} daddr ${set("db", family)} tcp dport 5432 meta length > 140 numgen inc mod ${LOSS_ONE_IN} == 7 ${count("lost_up")} drop`)}
${both((ip, family) => `${ip} saddr ${set("db", family)} ${ip} daddr ${set("catalog", family)} tcp sport 5432 meta length > 140 numgen inc mod ${LOSS_ONE_IN} == 11 ${count("lost_down")} drop`)}
    udp dport 8125 ${count("closed_udp")}
    tcp flags & (rst | ack) == (rst | ack) tcp sequence 0 ${count("no_listener")}
    tcp flags & (rst | ack) == rst ${count("stray")}
  }
  chain leaving {
    type filter hook postrouting priority filter;
    ip daddr ${SILENT_HOST} ${count("silent")}
    ip6 daddr ${SILENT_HOST_V6} ${count("silent_v6")}
  }
}
`;
}

/** Packets of every drop counter of a run so far. */
export async function readDropCounters(router: string): Promise<Map<string, number>> {
  const text = await run("nsenter", [`--net=/run/netns/${router}`, "nft", "-j", "list", "counters"]);
  const parsed = JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] };
  return new Map(
    parsed.nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

function translate(service: Service, ip: "ip" | "ip6", family: "v4" | "v6"): string {
  const backends = workload(service.to).replicas.map(
    (replica, index) => `${index} : ${replica[family][0]!} . ${service.targetPort}`,
  );
  return `${ip} daddr ${service[family]} tcp dport ${service.port} dnat ${ip} to numgen inc mod ${backends.length} map { ${backends.join(", ")} }`;
}

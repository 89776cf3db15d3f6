import { firewallRules } from "./firewall.ts";
import { BLACK_HOLE, SILENT_HOST, SILENT_HOST_V6, WORKLOADS, type Replica } from "./shop.ts";
import { run } from "./commands.ts";

/** The router's own address on every link: a pod's way out, never seen in traffic (as Calico does it). */
const ROUTER_V4 = "169.254.1.1";
const ROUTER_V6 = "fe80::1";

/** Netns names of a run. All carry its prefix, so that a clean-up touches nothing else. */
export function namespaceName(runId: string, replica: string): string {
  return `weir-${runId}-${replica}`;
}

export function routerName(runId: string): string {
  return namespaceName(runId, "router");
}

/** Every network namespace of a run, the router first. */
export function namespaceNames(runId: string): string[] {
  return [routerName(runId), ...allReplicas().map((replica) => namespaceName(runId, replica.name))];
}

export function allReplicas(): Replica[] {
  return WORKLOADS.flatMap((workload) => [...workload.replicas]);
}

/**
 * Makes the namespaces, links, addresses, routes and firewall. A routed /32 per replica, no bridge: with
 * bridge-nf-call-iptables off, answers to a service address would pass the bridge untranslated.
 * No link is ever in the host's own namespace: both ends are born inside.
 */
export async function buildNetwork(runId: string): Promise<void> {
  const replicas = allReplicas();
  const router = routerName(runId);
  await run(
    "ip",
    ["-batch", "-"],
    namespaceNames(runId)
      .map((name) => `netns add ${name}`)
      .join("\n"),
  );
  await run(
    "nsenter",
    [`--net=/run/netns/${router}`, "ip", "-batch", "-"],
    replicas
      .map((replica) => `link add ${replica.name} type veth peer name eth0 netns ${namespaceName(runId, replica.name)}`)
      .join("\n"),
  );
  await Promise.all([
    inside(router, ROUTER_SETTINGS, routerLinks(replicas)),
    ...replicas.map((replica) =>
      inside(namespaceName(runId, replica.name), settingsOf(replica), replicaLinks(replica)),
    ),
  ]);
  await run("nsenter", [`--net=/run/netns/${router}`, "nft", "-f", "-"], firewallRules());
}

/** Deletes those of `names` that exist. Links go with their namespaces. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  const there = new Set(await existingNamespaces());
  const doomed = names.filter((name) => there.has(name));
  if (doomed.length > 0)
    await run("ip", ["-force", "-batch", "-"], doomed.map((name) => `netns del ${name}`).join("\n"));
}

export async function existingNamespaces(): Promise<string[]> {
  const lines = (await run("ip", ["netns", "list"])).split("\n");
  return lines.map((line) => line.split(" ")[0]!).filter((name) => name !== "");
}

/** Runs one shell in a namespace: kernel settings first (they count for links that come up later), then a batch of `ip`. */
async function inside(namespace: string, settings: readonly string[], links: readonly string[]): Promise<void> {
  const script = settings.map((line) => {
    const [key, value] = line.split("=");
    return `echo ${value} > /proc/sys/${key}`;
  });
  await run(
    "nsenter",
    [`--net=/run/netns/${namespace}`, "sh", "-e"],
    [...script, "ip -batch - <<'END'", ...links, "END"].join("\n"),
  );
}

/** No ICMP rate limits: each lost packet is answered, so the number of failures does not depend on how fast they come. */
const NO_ICMP_LIMITS = ["net/ipv4/icmp_ratelimit=0", "net/ipv6/icmp/ratelimit=0"];
const ROUTER_SETTINGS = [
  "net/ipv4/ip_forward=1",
  "net/ipv6/conf/all/forwarding=1",
  "net/ipv6/conf/all/accept_dad=0",
  "net/ipv6/conf/default/accept_dad=0",
  ...NO_ICMP_LIMITS,
];

function settingsOf(replica: Replica): string[] {
  const settings = [
    "net/ipv6/conf/all/accept_dad=0",
    "net/ipv6/conf/default/accept_dad=0",
    "net/ipv6/conf/default/accept_ra=0",
    ...NO_ICMP_LIMITS,
  ];
  // cart's connects to db end in the kernel's own ETIMEDOUT, after SYNs at 0 and 1 s, and not in the program's limit
  if (replica.name.startsWith("cart-"))
    settings.push("net/ipv4/tcp_syn_retries=1", "net/ipv4/tcp_syn_linear_timeouts=0");
  return settings;
}

function replicaLinks(replica: Replica): string[] {
  return [
    "link set lo up",
    "link set eth0 addrgenmode none",
    ...replica.v4.map((address) => `addr add ${address}/32 dev eth0`),
    ...replica.v6.map((address) => `addr add ${address}/128 dev eth0 nodad`),
    "addr add fe80::2/64 dev eth0 nodad",
    "link set eth0 up",
    `route add ${ROUTER_V4} dev eth0 scope link src ${replica.v4[0]!}`,
    `route add default via ${ROUTER_V4} dev eth0 src ${replica.v4[0]!}`,
    `route add ::/0 via ${ROUTER_V6} dev eth0 src ${replica.v6[0]!}`,
  ];
}

function routerLinks(replicas: readonly Replica[]): string[] {
  return [
    "link set lo up",
    ...replicas.flatMap((replica) => [
      `link set ${replica.name} addrgenmode none`,
      `addr add ${ROUTER_V4}/32 dev ${replica.name}`,
      `addr add ${ROUTER_V6}/64 dev ${replica.name} nodad`,
      `link set ${replica.name} up`,
      ...replica.v4.map((address) => `route add ${address}/32 dev ${replica.name} scope link`),
      ...replica.v6.map((address) => `route add ${address}/128 dev ${replica.name}`),
    ]),
    // on a link where nobody answers for it, so the neighbour search fails
    `route add ${SILENT_HOST}/32 dev ${replicas[0]!.name} scope link`,
    `route add ${SILENT_HOST_V6}/128 dev ${replicas[0]!.name}`,
    `route add blackhole ${BLACK_HOLE}/32`,
  ];
}

import type { Check } from "./types.ts";

/** Checks that many reasons share: written once, so that their words stay the same everywhere. */
export const CAPTURE: Check = [
  "tcpdump -nn -vv -e -c 20 -i {device} host {src} and host {dst}",
  "shows the next packets of this flow with headers and MAC addresses",
];
export const QDISC: Check = [
  "tc -s qdisc show dev {device}",
  "counts drops and packets over the limit, queue by queue",
];
export const LINK: Check = [
  "ip -s -d link show dev {device}",
  "state, carrier, MTU and error counters of the interface",
];
export const OFFLOADS: Check = [
  "ethtool -k {device}",
  "which work is left to the device: checksums, segmentation, tunnels",
];
export const DEVICE_COUNTERS: Check = ["ethtool -S {device}", "the driver's own counters of errors and drops"];
export const ROUTE_TO: Check = [
  "ip route get {dst}",
  "the route and the device that this host takes to the destination",
];
export const ROUTE_BACK: Check = ["ip route get {src}", "the device on which this host would answer the sender"];
export const LISTENERS: Check = [
  "ss -lntup sport = :{dport}",
  "which process listens on the port, and on which address",
];
export const ACCEPT_QUEUE: Check = [
  "ss -lnt sport = :{dport}",
  "Recv-Q counts connections that wait for accept(), Send-Q is the limit",
];
export const TCP_SOCKET: Check = [
  "ss -tnmi dst {src} and sport = :{dport}",
  "window, buffers, round trip and retransmits of the connection",
];
export const TCP_TO: Check = [
  "ss -tani dst {dst} and dport = :{dport}",
  "state, retransmits and round trip of connections to that port",
];
export const KERNEL_LOG: Check = ["dmesg --ctime | tail -n 50", "what the kernel said at that time", "host"];
export const BPF_ON_DEVICE: Check = [
  "bpftool net show dev {device}",
  "which programs sit on the interface, and so who owns them",
];
export const PRESSURE: Check = ["cat /proc/net/sockstat", "memory held by sockets, in pages"];
export const CONNTRACK: Check = ["conntrack -S", "insert_failed, drop and early_drop per CPU"];
export const NEIGHBOUR: Check = ["ip neigh show {dst}", "FAILED or INCOMPLETE: nobody answered for this address"];

/** Counters of the namespace that the event came from. */
export function counters(names: string, why: string): Check {
  return [`nstat -az ${names}`, why];
}

/** Settings, written with slashes so that an interface name may hold dots. */
export function settings(names: string, why: string): Check {
  return [`sysctl ${names}`, why];
}

import { KERNEL_LOG, LINK, ROUTE_TO, settings } from "./frequent-checks.ts";
import type { Check, Entries } from "./types.ts";

const SLOWED = "nothing; TCP slows down and repeats, UDP is gone";
const VXLAN: Check = ["ip -d link show type vxlan", "network number, port and local address of the VXLAN devices"];
const FDB: Check = ["bridge fdb show dev {device}", "which far end the device holds for which MAC"];

/** Reasons of tunnels. */
export const TUNNEL_DROPS: Entries = {
  VXLAN_INVALID_HDR: {
    title: "Not a valid VXLAN header",
    meaning: "Bits that must be zero are set, or the network number is missing.",
    who: "sender",
    layer: "tunnel",
    severity: "warning",
    causes: ["Something else uses the VXLAN port (4789, 8472)", "An extension (GBP, GPE) is on at one end only"],
    checks: [VXLAN, ["tcpdump -nn -c 20 -i {device} udp port {dport}", "who sends to the port"]],
    fix: "Port and extensions alike on all nodes; a port of its own for a second overlay.",
    related: ["VXLAN_VNI_NOT_FOUND"],
  },
  VXLAN_VNI_NOT_FOUND: {
    title: "VXLAN network not present here",
    meaning: "The packet is for a VXLAN network (VNI) that has no device on this host.",
    who: "receiver",
    layer: "tunnel",
    severity: "warning",
    causes: [
      "The overlay is not started here, or just removed, while others still send",
      "Two overlays share the port",
      "The device is bound to another address",
    ],
    checks: [VXLAN, ["bridge fdb show", "whether the sender still lists this node", "there"]],
    fix: "Start the overlay here, or remove this node from the senders' tables.",
    related: ["VXLAN_INVALID_HDR"],
  },
  VXLAN_ENTRY_EXISTS: {
    title: "MAC is pinned to another tunnel end",
    meaning: "An inner MAC, entered as fixed, arrived from an end where it should not be.",
    who: "path",
    layer: "tunnel",
    severity: "warning",
    causes: ["The container or VM moved and the entry stayed", "One MAC on two nodes"],
    checks: [FDB, VXLAN],
    fix: "Let the control plane renew the entry, or remove the duplicate.",
    related: ["NO_TX_TARGET", "OTHERHOST"],
  },
  IP_TUNNEL_ECN: {
    title: "Congestion mark that cannot be passed on",
    meaning:
      "The outer header was marked as congested, but the packet inside does not support such marks. The rules ask to discard it then.",
    senderSees: SLOWED,
    who: "path",
    layer: "tunnel",
    severity: "warning",
    causes: [
      "The tunnel's sender allowed marks for packets that cannot bear them",
      "A device takes the ECN bits for part of DSCP",
    ],
    checks: [
      ["tcpdump -nn -v -c 20 -i {device} host {src}", "the tos byte of the outer headers"],
      settings("net/ipv4/tcp_ecn", "whether TCP here uses ECN"),
    ],
    fix: "Correct the device that marks, or enable ECN at the ends.",
    related: ["QDISC_CONGESTED"],
  },
  TUNNEL_TXINFO: {
    title: "Tunnel was not told where to send",
    meaning: "The device leaves the far end to its owner's program, and this packet reached it without one.",
    layer: "tunnel",
    severity: "error",
    causes: [
      "A route or address on a tunnel device that belongs to a network plugin",
      "The program or flow that names the far end is missing",
    ],
    checks: [
      ["ip route show dev {device}", "routes that lead into the device"],
      ["bpftool net show dev {device}", "the owner's programs"],
      LINK,
    ],
    fix: "Take the route away, or let the device's owner start anew.",
    related: ["NO_TX_TARGET"],
  },
  RECURSION_LIMIT: {
    title: "Devices that feed each other",
    meaning: "The packet went through too many stacked devices, such as a tunnel whose packets are routed into itself.",
    layer: "tunnel",
    severity: "error",
    causes: ["The way to the tunnel's far end leads into the tunnel"],
    checks: [ROUTE_TO, KERNEL_LOG],
    fix: "A route for the far end alone, through the real interface.",
    related: ["TC_RECLASSIFY_LOOP", "IP_INHDR"],
  },
};

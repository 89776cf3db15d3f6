import { CAPTURE, counters } from "./frequent-checks.ts";
import type { Entries } from "./types.ts";

/** Reasons of packets that arrived damaged: checksums and lengths. */
export const DAMAGE_DROPS: Entries = {
  PKT_TOO_SMALL: {
    title: "Shorter than its header claims",
    meaning: "A header announces more bytes than the packet has. Nothing can be made of it, and nobody is informed.",
    who: "path",
    layer: "ip",
    severity: "warning",
    causes: [
      "Hand-made packets of a scanner or a test",
      "A program or tunnel that writes wrong lengths",
      "Frames that a driver or an offload cuts off",
    ],
    checks: [
      CAPTURE,
      counters("IpExtInTruncatedPkts TcpInErrs UdpInErrors", "which protocol meets short packets"),
      ["ethtool -S {device}", "error counters of the driver"],
    ],
    fix: "Find the sender by its address. If it is this host's hardware, switch offloads off one at a time to find the faulty one.",
    related: ["HDR_TRUNC", "IP_INHDR"],
  },
  TCP_CSUM: {
    title: "TCP checksum does not add up",
    meaning:
      "The segment was altered or left unfinished on its way: its checksum is wrong. It is thrown away, and its sender repeats it after a pause.",
    senderSees: "nothing; retransmits and a slow transfer",
    who: "path",
    layer: "tcp",
    severity: "error",
    causes: [
      "A virtual path (VM, tunnel in user space, copied packets) where nobody finished the checksum that was left to the device",
      "A NAT, proxy or BPF program that rewrites without correcting the sum",
      "A faulty network card, cable or memory module",
    ],
    checks: [
      counters("TcpInCsumErrors", "how many segments arrived damaged"),
      [
        "ethtool -k {device} | grep -E 'checksum|generic-receive|segmentation'",
        "whether checksums are left to the device, to be compared on both ends",
      ],
      CAPTURE,
    ],
    fix: "As a test, turn checksum offload off on the suspected device (it costs CPU). If that helps, driver, hypervisor or the program that rewrites needs an update.",
    related: ["UDP_CSUM", "IP_CSUM"],
  },
  UDP_CSUM: {
    title: "UDP checksum does not add up",
    meaning:
      "The datagram's checksum is wrong, so it is thrown away without a word. In a VXLAN or Geneve tunnel that takes the packet inside with it.",
    who: "path",
    layer: "udp",
    severity: "error",
    causes: [
      "Checksum offload of UDP tunnels on some network cards and hypervisors",
      "A NAT or BPF program that rewrites without correcting the sum",
      "Bits that flip on the way",
    ],
    checks: [
      counters("UdpInCsumErrors", "how many datagrams arrived damaged"),
      ["ethtool -k {device} | grep -E 'udp_tnl|checksum'", "tunnel offloads of the device"],
      CAPTURE,
    ],
    fix: "As a test, switch transmit checksum offload off on the tunnel device or the card of the sender, until the driver is updated.",
    related: ["TCP_CSUM", "NO_SOCKET"],
  },
  IP_CSUM: {
    title: "IP header checksum does not add up",
    meaning: "The checksum over the IPv4 header is wrong; the packet is thrown away without a word.",
    who: "path",
    layer: "ip",
    severity: "error",
    causes: [
      "A program or device that rewrites headers (NAT, BPF, load balancer) and leaves the sum as it was",
      "A faulty network card, cable or memory module",
    ],
    checks: [
      counters("IpExtInCsumErrors", "how many headers arrived damaged"),
      ["ethtool -S {device} | grep -iE 'crc|err'", "damage that the card noticed"],
      CAPTURE,
    ],
    fix: "Repair the program that rewrites, or replace the faulty part; offloads off is a quick test.",
    related: ["TCP_CSUM"],
  },
  ICMP_CSUM: {
    title: "ICMP checksum does not add up",
    meaning: "The message is damaged. Had it reported the size of a path, large packets may hang from now on.",
    who: "path",
    layer: "ip",
    severity: "warning",
    causes: ["A NAT or firewall rewrites the packet quoted inside and gets the sum wrong", "Damage on the way"],
    checks: [counters("IcmpInCsumErrors Icmp6InCsumErrors", "damaged messages"), CAPTURE],
    fix: "Update or repair the device that rewrites.",
    related: ["TCP_CSUM", "PKT_TOO_BIG"],
  },
};

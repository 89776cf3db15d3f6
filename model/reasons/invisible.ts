/** A loss that leaves no event, and where it can be seen all the same. */
export interface InvisibleLoss {
  readonly what: string;
  readonly shows: string;
  /** True: provoked and seen so. */
  readonly tried: boolean;
}

/** What this page cannot show, to be said beside every "nothing found". */
export const INVISIBLE_LOSSES: readonly InvisibleLoss[] = [
  {
    what: "a SYN that meets a full accept queue",
    shows: "rising TcpExtListenOverflows and TcpExtListenDrops where the server runs; connects take 1 s and more",
    tried: true,
  },
  {
    what: "a SYN that meets a full queue of half-open connections, without SYN cookies",
    shows: "TcpExtTCPReqQFullDrop of the server's namespace",
    tried: true,
  },
  {
    what: "a network card's ring that ran over, XDP in the driver, hardware offload, switches",
    shows: "ethtool -S and ip -s link: missed and dropped",
    tried: false,
  },
  {
    what: "what security groups, cloud firewalls and routers between the hosts discard",
    shows: "a SYN that left its host and did not arrive",
    tried: false,
  },
  {
    what: "what is refused before anything is sent: no route, no source port, a hook on connect, an IPsec policy",
    shows: "an error within microseconds, and no SYN",
    tried: true,
  },
  {
    what: "a reset that fits exactly and ends its connection",
    shows: "the connection's own error, ECONNRESET",
    tried: true,
  },
  {
    what: "losses inside programs that carry traffic themselves (DPDK, proxies, VPNs in user space)",
    shows: "their own metrics",
    tried: false,
  },
];

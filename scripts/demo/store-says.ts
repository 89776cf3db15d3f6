/** What the store says, in the sums that the check asks for. Addresses as the store writes them, IPv4 as ::ffff:a.b.c.d. */
export interface StoreSays {
  readonly connections: readonly SeenConnections[];
  readonly bytes: readonly SeenBytes[];
  readonly drops: readonly SeenDrops[];
  readonly retransmits: readonly SeenRetransmits[];
  readonly lookups: readonly {
    readonly name: string;
    readonly type: string;
    readonly rcode: string;
    readonly count: number;
  }[];
  readonly datagrams: readonly {
    readonly source: string;
    readonly destination: string;
    readonly port: number;
    readonly count: number;
  }[];
  /** Names that the store gave to addresses, with the reports that carry them. */
  readonly names: readonly {
    readonly address: string;
    readonly namespace: string;
    readonly workload: string;
    readonly reports: number;
  }[];
  /** Sums of the collector's books by event type. */
  readonly books: readonly BookSum[];
}

/** `counted` reports of TCP by edge and how they ended. */
export interface SeenConnections {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  /** `::` when the client used the server's own address. */
  readonly service: string;
  readonly servicePort: number;
  /** errno's name, GAVE_UP, or "". */
  readonly reason: string;
  readonly opened: number;
  readonly closed: number;
  readonly failed: number;
}

/** Payload of `counted` reports of TCP, by edge. */
export interface SeenBytes {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly service: string;
  readonly servicePort: number;
  readonly up: number;
  readonly down: number;
}

export interface SeenDrops {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: number;
  readonly reason: string;
  /** Kernel function. */
  readonly location: string;
  readonly packets: number;
}

export interface SeenRetransmits {
  readonly source: string;
  readonly destination: string;
  /** The end that sent again. */
  readonly reporter: "client" | "server";
  readonly segments: number;
}

export interface BookSum {
  readonly type: string;
  readonly produced: number;
  readonly stored: number;
  readonly lost: number;
  readonly shed: number;
  readonly quarantined: number;
  readonly filtered: number;
}

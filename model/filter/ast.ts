/**
 * The filter language, shared by screens, CLI and live stream.
 *
 *   src:web dst:payments port:8443 verdict:dropped reason:NO_SOCKET ns:shop label:app=web -dst:dns port:80,443
 *
 * Terms are and-ed; `,` inside a term means or; a leading `-` excludes. A value may be quoted ("…").
 * `src:` and `dst:` take a workload, `namespace/workload`, an address, a block, or `ns=NAME`, `label=KEY=VALUE`, `name=DNSNAME`.
 * `ns:`, `workload:`, `label:`, `ip:` and `name:` match either end. A bare word matches workload, endpoint or name of either end.
 */
export const FILTER_KEYS = [
  "src",
  "dst",
  "ns",
  "workload",
  "label",
  "ip",
  "name",
  "port",
  "proto",
  "verdict",
  "reason",
  "kind",
  "reporter",
  "process",
  "service",
  "node",
  "location",
  "hook",
  "toward",
] as const;
export type FilterKey = (typeof FILTER_KEYS)[number];

/** One thing that a value can ask of an end of a flow. */
export type EndMatch =
  | { readonly kind: "workload"; readonly namespace: string | undefined; readonly workload: string }
  | { readonly kind: "namespace"; readonly namespace: string }
  | { readonly kind: "label"; readonly key: string; readonly value: string | undefined }
  | { readonly kind: "block"; readonly cidr: string } // an address is a block of one
  | { readonly kind: "name"; readonly name: string } // DNS name, `*` matches any characters
  | { readonly kind: "word"; readonly word: string }; // substring of workload, endpoint or name

export type Condition =
  | { readonly on: "source" | "destination" | "either"; readonly match: EndMatch }
  | { readonly on: "port"; readonly from: number; readonly to: number }
  | { readonly on: "protocol"; readonly protocol: number }
  | {
      readonly on:
        "verdict" | "reason" | "kind" | "reporter" | "process" | "service" | "node" | "location" | "hook" | "toward";
      readonly value: string;
    };

/** `any` of the conditions holds (or none of them, when `negated`). `text` and `at` show it in the field again. */
export interface FilterTerm {
  readonly key: FilterKey | undefined;
  readonly negated: boolean;
  readonly any: readonly Condition[];
  readonly text: string;
  readonly at: number;
}

export interface Filter {
  readonly terms: readonly FilterTerm[];
}

export interface FilterProblem {
  /** Offset and length in the text. */
  readonly at: number;
  readonly length: number;
  readonly message: string;
}

export const EVERYTHING: Filter = { terms: [] };

import { formatAddress, parseAddress } from "../../model/address.ts";
import { BLACK_HOLE, labelOf, SERVICES, SILENT_HOST, SILENT_HOST_V6, WORKLOADS } from "./shop.ts";

const LABELS: ReadonlyMap<string, string> = new Map([
  ...WORKLOADS.flatMap((workload) =>
    workload.replicas.flatMap((replica) =>
      [...replica.v4, ...replica.v6].map((address) => [canonical(address), labelOf(workload)] as const),
    ),
  ),
  ...SERVICES.flatMap((service) =>
    [service.v4, service.v6].map((address) => [canonical(address), labelOf(service)] as const),
  ),
  [BLACK_HOLE, BLACK_HOLE] as const,
  [SILENT_HOST, SILENT_HOST] as const,
  [SILENT_HOST_V6, SILENT_HOST_V6] as const,
]);

/** Whose address it is in the shop: `storefront/web`. Takes IPv4 in either form; undefined for an address that is not the shop's. */
export function labelOfAddress(address: string): string | undefined {
  return LABELS.get(canonical(address));
}

/** One writing for one address: `::ffff:10.0.0.1` and `10.0.0.1` are the same. */
function canonical(address: string): string {
  const bytes = parseAddress(address);
  return bytes === undefined ? address : formatAddress(bytes);
}

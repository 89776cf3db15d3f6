import { PROTOCOL_NUMBERS } from "../engine.ts";
import type { KindParser } from "../parse/documents.ts";
import { readMetadata } from "./metadata.ts";
import { readSetNets } from "./parse-values.ts";
import {
  BUILTIN_TIERS,
  TIER_ORDER_WHEN_ABSENT,
  type EndpointSliceSpec,
  type NetworkSetSpec,
  type TierSpec,
} from "./types.ts";

/** Tier: the built-in ones may be written down, but only as they are. */
export const readTier: KindParser = (document, head): TierSpec | undefined => {
  const spec = readMetadata(document, "tier")?.get("spec")?.fields(["order", "defaultAction"]);
  const order = spec?.get("order")?.number();
  const action = spec?.get("defaultAction")?.oneOf(["Deny", "Pass"]);
  const tier: TierSpec = {
    type: "tier",
    order: order ?? TIER_ORDER_WHEN_ABSENT,
    defaultAction: action === "Pass" ? "pass" : "deny",
  };
  const fixed = BUILTIN_TIERS.get(head.name);
  if (fixed === undefined) return tier;
  const place = spec?.owner ?? document;
  if (order !== fixed.order)
    (spec?.get("order") ?? place).problem(`tier ${head.name} has its own order`, `order: ${fixed.order}`);
  const wanted = fixed.defaultAction === "pass" ? "Pass" : "Deny";
  if ((action ?? "Deny") !== wanted)
    (spec?.get("defaultAction") ?? place).problem(
      `tier ${head.name} has its own default action`,
      `defaultAction: ${wanted}`,
    );
  return tier;
};

const NAMESPACE_LABEL = "projectcalico.org/namespace";

export const readNetworkSet: KindParser = (document, head): NetworkSetSpec => {
  const top = readMetadata(document, "subdomain");
  if (head.labels.has(NAMESPACE_LABEL))
    document.problem(`the label ${NAMESPACE_LABEL} is Calico's own`, "another label");
  return { type: "network-set", nets: readSetNets(top?.get("spec")?.fields(["nets"])?.get("nets")) };
};

/** EndpointSlice: addresses whatever their readiness, as Calico takes them (felix/serviceindex 3.32.1); a port without number is none. */
export const readEndpointSlice: KindParser = (document, head): EndpointSliceSpec => {
  const top = document.fields();
  const addresses: string[] = [];
  for (const endpoint of top?.get("endpoints")?.items("a list of endpoints") ?? [])
    for (const address of endpoint.fields()?.get("addresses")?.items("a list of addresses") ?? []) {
      const text = address.string("an address");
      if (text !== undefined) addresses.push(text);
    }
  const ports: { port: number; protocol: number }[] = [];
  for (const item of top?.get("ports")?.items("a list of ports") ?? []) {
    const fields = item.fields();
    const port = fields?.get("port")?.integer(1, 65535);
    const protocol = fields?.get("protocol")?.oneOf(["TCP", "UDP", "SCTP"]) ?? "TCP";
    if (port !== undefined) ports.push({ port, protocol: PROTOCOL_NUMBERS.get(protocol)! });
  }
  return { type: "endpoint-slice", service: head.labels.get("kubernetes.io/service-name") ?? "", addresses, ports };
};

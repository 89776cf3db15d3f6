import { parseCidr } from "../../model/address.ts";
import { POD_NAMESPACE } from "../parse/cilium-labels.ts";
import type { CiliumBlock, ServiceChoice } from "../parse/cilium-peers.ts";
import { requirementMatches, type Requirement } from "../parse/label-selector.ts";
import type { WorldIndex } from "../world-index.ts";
import type { WorldService } from "../world.ts";

/** toServices as Cilium resolves it: the pods behind a service that has a selector, else the addresses of its slices. */
export function serviceSelectors(
  world: WorldIndex,
  choices: readonly ServiceChoice[],
): { selectors: Requirement[][]; blocks: Pick<CiliumBlock, "of" | "except">[] } {
  const selectors: Requirement[][] = [];
  const blocks: Pick<CiliumBlock, "of" | "except">[] = [];
  for (const service of world.world.services) {
    if (!choices.some((choice) => isChosen(service, choice))) continue;
    if (service.selector.size > 0) {
      const requirements: Requirement[] = [
        { key: `k8s:${POD_NAMESPACE}`, operator: "In", values: [service.namespace] },
      ];
      for (const [key, value] of service.selector)
        requirements.push({ key: `k8s:${key}`, operator: "In", values: [value] });
      selectors.push(requirements);
    } else
      for (const address of service.slices.flatMap((slice) => slice.addresses)) {
        const cidr = parseCidr(address);
        if (cidr !== undefined) blocks.push({ of: { kind: "cidr", cidr }, except: [] });
      }
  }
  return { selectors, blocks };
}

/** No namespace given = every namespace. */
function isChosen(service: WorldService, choice: ServiceChoice): boolean {
  if (choice.namespace !== "" && choice.namespace !== service.namespace) return false;
  if (choice.kind === "name") return choice.name === service.name;
  return choice.selector.requirements.every((requirement) =>
    requirementMatches(requirement, service.labels.get(requirement.key.slice(requirement.key.indexOf(":") + 1))),
  );
}

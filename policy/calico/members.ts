import { parseAddress } from "../../model/address.ts";
import type { Bitmap } from "../compile/bitmap.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import type { World, WorldEndpoint } from "../world.ts";
import type { PodIndex } from "./pod-index.ts";
import { matchesSelector, type Selector } from "./selector.ts";
import type { NetworkSetSpec } from "./types.ts";

/**
 * What selectors choose from: pods (by bit) and network sets (by list). Labels are those that Calico gives them
 * (libcalico-go/lib/backend/k8s/conversion 3.32.1): a pod's own, Calico's over them, then what it inherits from its namespace's
 * profile (`pcns.`) and its account's (`pcsa.`) where it has no label of that name.
 */
export const NAMESPACE = "projectcalico.org/namespace";
export const SERVICE_ACCOUNT = "projectcalico.org/serviceaccount";
export const ORCHESTRATOR = "projectcalico.org/orchestrator";
export const NAMESPACE_PREFIX = "pcns.";
export const ACCOUNT_PREFIX = "pcsa.";
const NAME = "projectcalico.org/name";
/** Longer account names get no label of their own, as labels' values end at 63. */
const ACCOUNT_LABEL_LIMIT = 63;

export interface NetworkSet {
  readonly labels: ReadonlyMap<string, string>;
  readonly spec: NetworkSetSpec;
}

/** Pods and network sets together. */
export class Members {
  readonly sets: readonly NetworkSet[];
  readonly #pods: PodIndex;

  constructor(world: World, pods: PodIndex, sets: readonly PolicyDocument[]) {
    this.#pods = pods;
    const labels = new MemberLabels(world);
    this.sets = sets.map((document) => ({ labels: labels.ofSet(document), spec: document.spec as NetworkSetSpec }));
  }

  /** Pods that there is room for. */
  get capacity(): number {
    return this.#pods.capacity;
  }

  /** The pods that a selector chooses; undefined = all. Shared: not to be changed. */
  pods(selector: Selector | undefined): Bitmap {
    return this.#pods.select(selector);
  }

  /** The network sets that a selector chooses. */
  setsOf(selector: Selector): NetworkSet[] {
    return this.sets.filter(({ labels }) => matchesSelector(selector, (key) => labels.get(key)));
  }
}

/** The labels that selectors see. */
export class MemberLabels {
  readonly #namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #accounts: ReadonlyMap<string, ReadonlyMap<string, string>>;

  constructor({ namespaces, serviceAccounts }: World) {
    this.#namespaces = new Map(namespaces.map(({ name, labels }) => [name, inherited(NAMESPACE_PREFIX, name, labels)]));
    this.#accounts = new Map(
      serviceAccounts.map(({ namespace, name, labels }) => [
        `${namespace}/${name}`,
        inherited(ACCOUNT_PREFIX, name, labels),
      ]),
    );
  }

  ofPod({ namespace, labels, serviceAccount }: WorldEndpoint): Map<string, string> {
    const out = new Map([
      [NAMESPACE, namespace],
      [ORCHESTRATOR, "k8s"],
    ]);
    const take = (from: ReadonlyMap<string, string>) => {
      for (const [key, value] of from) if (!out.has(key)) out.set(key, value);
    };
    if (serviceAccount !== "" && serviceAccount.length < ACCOUNT_LABEL_LIMIT) out.set(SERVICE_ACCOUNT, serviceAccount);
    take(labels);
    take(this.#ofNamespace(namespace));
    if (serviceAccount !== "")
      take(
        this.#accounts.get(`${namespace}/${serviceAccount}`) ?? inherited(ACCOUNT_PREFIX, serviceAccount, new Map()),
      );
    return out;
  }

  ofSet({ namespace, labels }: PolicyDocument): Map<string, string> {
    return namespace === ""
      ? new Map(labels)
      : new Map([...this.#ofNamespace(namespace), ...labels, [NAMESPACE, namespace]]);
  }

  #ofNamespace(name: string): ReadonlyMap<string, string> {
    return this.#namespaces.get(name) ?? inherited(NAMESPACE_PREFIX, name, new Map());
  }
}

function inherited(prefix: string, name: string, labels: ReadonlyMap<string, string>): Map<string, string> {
  const out = new Map([[prefix + NAME, name]]);
  for (const [key, value] of labels) if (key !== NAME) out.set(prefix + key, value);
  return out;
}

/** Addresses as bytes, those that are none left out. */
export function addressBytes(addresses: readonly string[]): Uint8Array[] {
  return addresses.map(parseAddress).filter((bytes) => bytes !== undefined);
}

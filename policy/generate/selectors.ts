import type { TupleIdentity } from "../tuples.ts";

/** Labels that say which workload a pod belongs to, best first. */
const TELLING = [
  "app.kubernetes.io/name",
  "app",
  "k8s-app",
  "name",
  "app.kubernetes.io/component",
  "component",
  "tier",
  "role",
];
/** Labels of a rollout or an instance, never of a workload. */
const FLEETING =
  /^(pod-template-hash|controller-revision-hash|statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index|batch\.kubernetes\.io\/.*|job-name|controller-uid|version|helm\.sh\/chart)$/;

/** Labels a pod has, and (undefined) keys that it lacks. */
export type LabelChoice = ReadonlyMap<string, string | undefined>;

/**
 * The fewest labels that tell an identity from the others of its namespace: one telling label where that does, more where it
 * must; where others have all of them and more, a key that it lacks. Empty for the only pods of a namespace.
 */
export function tellingLabels(identity: TupleIdentity, all: readonly TupleIdentity[]): LabelChoice {
  const others = all.filter(
    (it) => it.namespace === identity.namespace && it.id !== identity.id && it.entity === undefined,
  );
  const steady = [...identity.labels].filter(([key]) => !FLEETING.test(key));
  const usable = steady.length > 0 ? steady : [...identity.labels];
  const rank = (key: string) => (TELLING.includes(key) ? TELLING.indexOf(key) : TELLING.length);
  const ordered = usable.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const chosen = new Map<string, string | undefined>();
  let like = others;
  for (const [key, value] of ordered) {
    const left = like.filter((it) => it.labels.get(key) === value);
    if (chosen.size > 0 && left.length === like.length) continue;
    chosen.set(key, value);
    like = left;
    if (like.length === 0) break;
  }
  while (like.length > 0) {
    const extra = like
      .flatMap((it) => [...it.labels.keys()])
      .find((key) => !identity.labels.has(key) && !FLEETING.test(key));
    if (extra === undefined) break; // alike in all that lasts: one workload
    chosen.set(extra, undefined);
    like = like.filter((it) => !it.labels.has(extra));
  }
  return chosen;
}

import styles from "./WorkloadName.module.css";

export interface NamedEnd {
  readonly namespace: string;
  readonly workload: string;
  readonly endpoint?: string;
  readonly address?: string;
  readonly name?: string;
}

/** `storefront/web` with the namespace in grey; the namespace is cut first, the workload never. */
export function WorkloadName({ end }: { readonly end: NamedEnd }) {
  const shown =
    end.workload !== "" && end.workload !== "world"
      ? end.workload
      : end.name || end.address || end.workload || "unknown";
  return (
    <span className={styles.name} title={end.namespace === "" ? shown : `${end.namespace}/${shown}`}>
      {end.namespace === "" ? null : <span className={styles.namespace}>{end.namespace}/</span>}
      <span className={styles.workload}>{shown}</span>
      {end.endpoint === undefined || end.endpoint === "" || end.endpoint === shown ? null : (
        <span className={styles.endpoint}>{suffix(end.endpoint, shown)}</span>
      )}
    </span>
  );
}

/** From → to, traffic's arrow. */
export function EdgeName({ source, destination }: { readonly source: NamedEnd; readonly destination: NamedEnd }) {
  return (
    <span className={styles.edge}>
      <WorkloadName end={source} />
      <span className={styles.arrow} aria-label="to">
        →
      </span>
      <WorkloadName end={destination} />
    </span>
  );
}

/** A pod's own part: `web-7d9f-wq8bl` of `web` → `wq8bl`; other endpoints keep their name. */
function suffix(endpoint: string, workload: string): string {
  if (!endpoint.startsWith(`${workload}-`)) return endpoint;
  const parts = endpoint.slice(workload.length + 1).split("-");
  return parts.length > 1 ? parts.at(-1)! : endpoint;
}

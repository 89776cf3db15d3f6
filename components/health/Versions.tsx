import type { SystemStatus } from "../../model/wire/answers/status.ts";
import type { HealthSnapshot } from "../../model/wire/health.ts";
import styles from "./HealthPage.module.css";
import { Section } from "./Section.tsx";

/** What runs, in which version: the first thing that a report of a bug needs. */
export function Versions({
  status,
  health,
}: {
  readonly status: SystemStatus;
  readonly health: HealthSnapshot | undefined;
}) {
  const { store, machine } = status;
  const lines: readonly (readonly [string, string])[] = [
    ["App", `Weir ${status.version}`],
    ["Collector here", health === undefined ? "not running" : `Weir ${health.version}`],
    ["Store", store === null ? "does not answer" : `ClickHouse ${store.storeVersion}`],
    ["Schema", store === null ? "–" : String(store.schemaVersion)],
    ["Kernel", machine.kernel],
  ];
  return (
    <Section
      title="Versions"
      note="for a report: ./bin/weir doctor --bundle FILE writes these and more, without secrets"
    >
      <dl className={styles.versions}>
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

import type { z } from "zod";
import type { LossRow } from "../../model/wire/health.ts";
import { count, share } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import styles from "./HealthPage.module.css";
import { Section } from "./Section.tsx";

type Loss = z.infer<typeof LossRow>;
const NO_RING = 65535;

const COLUMNS: readonly Column<Loss>[] = [
  { id: "cpu", title: "CPU", width: "minmax(80px, 1fr)", cell: (row) => cpuName(row.cpu), sortValue: (row) => row.cpu },
  {
    id: "type",
    title: "Event",
    width: "minmax(140px, 2fr)",
    cell: (row) => <code>{row.type}</code>,
    sortValue: (row) => row.type,
  },
  {
    id: "produced",
    title: "Produced",
    width: "140px",
    numeric: true,
    cell: (row) => count(row.produced),
    sortValue: (row) => row.produced,
  },
  {
    id: "lost",
    title: "Lost",
    width: "120px",
    numeric: true,
    cell: (row) => <span className={row.lost > 0 ? "tone-denied" : ""}>{count(row.lost)}</span>,
    sortValue: (row) => row.lost,
  },
  {
    id: "shed",
    title: "Shed",
    width: "120px",
    numeric: true,
    cell: (row) => <span className={row.shed > 0 ? "tone-degraded" : ""}>{count(row.shed)}</span>,
    sortValue: (row) => row.shed,
  },
  {
    id: "share",
    title: "Missing",
    width: "110px",
    numeric: true,
    cell: (row) => share(row.lost + row.shed, row.produced),
    sortValue: (row) => (row.produced === 0 ? 0 : (row.lost + row.shed) / row.produced),
  },
];
const SORT = { column: "lost", descending: true } as const;

/** What the kernel counted and what of it never came out of a ring, or was left out under load, by CPU and type of event. */
export function LossTable({ loss }: { readonly loss: readonly Loss[] }) {
  const lost = loss.reduce((sum, row) => sum + row.lost, 0);
  const shed = loss.reduce((sum, row) => sum + row.shed, 0);
  return (
    <Section
      title="Loss by CPU and event"
      note={
        lost + shed === 0
          ? "nothing lost since the collector began"
          : `${count(lost)} lost${shed === 0 ? "" : `, ${count(shed)} shed to hold the limit of CPU`}, counted in the kernel`
      }
    >
      {loss.length === 0 ? (
        <p className={styles.empty}>No event has been produced yet.</p>
      ) : (
        <Table label="Loss by CPU and event" columns={COLUMNS} rows={loss} rowKey={lossKey} sort={SORT} grow={false} />
      )}
    </Section>
  );
}

function lossKey(row: Loss): string {
  return `${row.cpu} ${row.type}`;
}

function cpuName(cpu: number): string {
  return cpu === NO_RING ? "no ring" : `CPU ${cpu}`;
}

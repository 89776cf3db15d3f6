import type { StatusAnswer } from "../../model/wire/answers/health.ts";
import { ago, figures } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import styles from "./HealthPage.module.css";
import { Section } from "./Section.tsx";

type Node = StatusAnswer["nodes"][number];

/** Every node that sent rows to this store, and how fresh its newest is. */
export function NodesTable({ store, checkedMs }: { readonly store: StatusAnswer; readonly checkedMs: number }) {
  const columns: readonly Column<Node>[] = [
    {
      id: "node",
      title: "Node",
      width: "minmax(140px, 1fr)",
      cell: (node) => node.node,
      sortValue: (node) => node.node,
    },
    {
      id: "newest",
      title: "Newest row",
      width: "140px",
      cell: (node) => ago(node.newestRow, checkedMs),
      sortValue: (node) => node.newestRow,
    },
    {
      id: "rate",
      title: "Rows/s",
      width: "100px",
      numeric: true,
      cell: (node) => figures(node.rowsPerSecond),
      sortValue: (node) => node.rowsPerSecond,
    },
    { id: "kernel", title: "Kernel", width: "minmax(140px, 1fr)", cell: (node) => <code>{node.kernel || "–"}</code> },
    { id: "agent", title: "Weir", width: "100px", cell: (node) => node.agent || "–" },
  ];
  return (
    <Section title="Nodes" note={`in the store, schema ${store.schemaVersion}, engine ${store.storeVersion}`}>
      {store.nodes.length === 0 ? (
        <p className={styles.empty}>No node has sent a row yet.</p>
      ) : (
        <Table label="Nodes" columns={columns} rows={store.nodes} rowKey={nodeName} grow={false} />
      )}
    </Section>
  );
}

function nodeName(node: Node): string {
  return node.node;
}

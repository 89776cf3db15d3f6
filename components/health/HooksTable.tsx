import type { z } from "zod";
import type { HookHealth } from "../../model/wire/health.ts";
import { Badge } from "../parts/Badge.tsx";
import { count } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import styles from "./HealthPage.module.css";
import { Section } from "./Section.tsx";

type Hook = z.infer<typeof HookHealth>;

const COLUMNS: readonly Column<Hook>[] = [
  {
    id: "name",
    title: "Program",
    width: "minmax(180px, 1fr)",
    cell: (hook) => <code>{hook.name}</code>,
    sortValue: (hook) => hook.name,
  },
  {
    id: "state",
    title: "State",
    width: "120px",
    cell: (hook) => <HookBadge state={hook.state} />,
    sortValue: (hook) => hook.state,
  },
  {
    id: "events",
    title: "Events",
    width: "110px",
    numeric: true,
    cell: (hook) => (hook.events === undefined ? "–" : count(hook.events)),
    sortValue: (hook) => hook.events ?? -1,
  },
  {
    id: "why",
    title: "Why, and what goes dark without it",
    width: "minmax(280px, 2fr)",
    cell: (hook) => <span title={wordsOf(hook)}>{wordsOf(hook)}</span>,
  },
];

/** Every program on its own: loaded, or refused and why. */
export function HooksTable({ hooks }: { readonly hooks: readonly Hook[] }) {
  const loaded = hooks.filter((hook) => hook.state === "loaded").length;
  return (
    <Section title="Programs in the kernel" note={`${loaded} of ${hooks.length} loaded; each loads on its own`}>
      {hooks.length === 0 ? (
        <p className={styles.empty}>None: a recording is played, so nothing is loaded into this kernel.</p>
      ) : (
        <Table label="Programs in the kernel" columns={COLUMNS} rows={hooks} rowKey={hookName} grow={false} />
      )}
    </Section>
  );
}

function hookName(hook: Hook): string {
  return hook.name;
}

function wordsOf(hook: Hook): string {
  return [hook.why, hook.dark].filter((words) => words !== undefined && words !== "").join("; without it ");
}

function HookBadge({ state }: { readonly state: Hook["state"] }) {
  if (state === "loaded") return <Badge tone="allowed">loaded</Badge>;
  return <Badge tone={state === "refused" ? "denied" : "gone"}>{state}</Badge>;
}

"use client";

import { CircleAlert, Download, FileText, Pencil, Trash2, TriangleAlert, X } from "lucide-react";
import dynamic from "next/dynamic";
import { useCallback, useMemo, useState } from "react";
import { Button } from "../parts/Button.tsx";
import { clockSeconds, count } from "../parts/numbers.ts";
import { Switch } from "../parts/Switch.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { Explained, FlowRow, Names } from "./answers.ts";
import type { Draft } from "./drafts.ts";
import type { Marks } from "./editor-marks.ts";
import { examples } from "./examples.ts";
import styles from "./Policies.module.css";
import type { DraftsState } from "./use-drafts.ts";

// The editor is a third of a megabyte: it comes once the page stands.
const PolicyEditor = dynamic(() => import("./PolicyEditor.tsx").then((module) => module.PolicyEditor), {
  ssr: false,
  loading: () => <p className={styles.loading}>Loading the editor</p>,
});
const DiffView = dynamic(() => import("./DiffView.tsx").then((module) => module.DiffView), { ssr: false });

interface Props {
  readonly drafts: DraftsState;
  readonly change: WhatWouldChange;
  readonly names: Names | undefined;
  readonly selectedRow: FlowRow | undefined;
  readonly explained: Explained | undefined;
  readonly line: { readonly file: string; readonly line: number } | undefined;
  readonly reveal: { readonly line: number } | undefined;
  onLine(file: string, line: number): void;
  onHover(file: string, line: number | undefined): void;
  onTooLong(characters: number): void;
}

/** Tabs, what is wrong, the text, and the text in words. */
export function EditorPane(props: Props) {
  const { drafts, change, names } = props;
  const { files, active } = drafts.drafts;
  const file = files.find((it) => it.id === active);
  const [diff, setDiff] = useState(false);
  const showDiff = diff && file?.inForce !== undefined && file.inForce !== file.text;
  return (
    <section className={styles.editorPane} aria-label="Editor">
      <Tabs drafts={drafts} file={file} diff={showDiff} onDiff={setDiff} />
      {file === undefined ? (
        <Start drafts={drafts} names={names} />
      ) : (
        <>
          <StateLine drafts={drafts} change={change} file={file} />
          <div className={styles.text}>
            {showDiff ? <DiffView before={file.inForce!} after={file.text} /> : <Text {...props} file={file} />}
          </div>
          <Words change={change} file={file} line={props.line} />
        </>
      )}
    </section>
  );
}

/** Why the line decides, in words. */
function reasonOf(
  { source, destination, port }: FlowRow,
  { isDefault, direction }: NonNullable<FlowRow["by"]>,
): string {
  if (!isDefault) return `Decides ${source.workload} → ${destination.workload}, ${port}.`;
  return direction === "ingress"
    ? `Selects ${destination.workload}, and no rule lets ${source.workload} in on ${port}: default deny.`
    : `Selects ${source.workload}, and no rule lets it out to ${destination.workload} on ${port}: default deny.`;
}

function Text({
  change,
  names,
  selectedRow,
  explained,
  line,
  reveal,
  onLine,
  onHover,
  onTooLong,
  drafts,
  file,
}: Props & { readonly file: Draft }) {
  const { act } = drafts;
  const mend = useCallback(
    (at: number, column: number, value: string, instead: string) => {
      const lines = file.text.split("\n");
      const old = lines[at - 1] ?? "";
      if (old.slice(column - 1, column - 1 + value.length) !== value) return; // the text has changed since
      lines[at - 1] = old.slice(0, column - 1) + instead + old.slice(column - 1 + value.length);
      act({ kind: "edit", id: file.id, text: lines.join("\n") });
    },
    [act, file.id, file.text],
  );
  const marks = useMemo((): Marks => {
    const uses = change.judged?.lines[file.name] ?? [];
    const by = selectedRow?.by;
    const explains = explained !== undefined && selectedRow?.row === explained.row;
    const near =
      explains && explained.verdict === "deny" ? explained.nearest.filter((it) => it.file === file.name) : [];
    return {
      uses,
      selected: line?.file === file.name ? line.line : undefined,
      near: near.slice(0, 1).map((it) => it.line),
      notes: [
        ...(by?.file === file.name && selectedRow !== undefined
          ? [
              {
                line: by.line,
                tone:
                  selectedRow.change === "newly-denied" || selectedRow.change === "still-denied"
                    ? ("denied" as const)
                    : ("allowed" as const),
                text: `${reasonOf(selectedRow, by)} ${count(selectedRow.connections)} connections`,
              },
            ]
          : []),
        ...(change.judged?.hints ?? [])
          .filter((hint) => hint.file === file.name && change.stale === undefined)
          .map((hint) => ({
            line: hint.line,
            tone: "degraded" as const,
            text: `No workload had ${hint.key}=${hint.value} in this range.${hint.instead === undefined ? "" : ` Did you mean ${hint.instead}?`}`,
            ...(hint.instead === undefined
              ? {}
              : {
                  fix: {
                    label: `Use ${hint.instead}`,
                    run: () => mend(hint.line, hint.column, hint.value, hint.instead!),
                  },
                }),
          })),
        ...near.slice(0, 1).map((it) => ({
          line: it.line,
          tone: "degraded" as const,
          text: `Nearest miss: lacks ${it.lacks.join(", ")}`,
        })),
      ],
    };
  }, [change.judged, change.stale, file.name, selectedRow, explained, line, mend]);
  return (
    <PolicyEditor
      id={file.id}
      name={file.name}
      text={file.text}
      inForce={file.inForce}
      problems={change.problems}
      marks={marks}
      names={names}
      readOnly={false}
      reveal={reveal}
      onChange={(text) => drafts.act({ kind: "edit", id: file.id, text })}
      onLine={(at) => onLine(file.name, at)}
      onHover={(at) => onHover(file.name, at)}
      onTooLong={onTooLong}
    />
  );
}

function Tabs({
  drafts,
  file,
  diff,
  onDiff,
}: {
  readonly drafts: DraftsState;
  readonly file: Draft | undefined;
  readonly diff: boolean;
  onDiff(on: boolean): void;
}) {
  const open = drafts.drafts.files.filter((it) => it.open);
  return (
    <div className={styles.tabs}>
      <ul className={styles.tabList}>
        {open.map((it) => (
          <li key={it.id} data-active={it.id === file?.id}>
            <button
              type="button"
              aria-current={it.id === file?.id ? "true" : undefined}
              onClick={() => drafts.act({ kind: "show", id: it.id })}
            >
              <FileText size={13} aria-hidden="true" />
              {it.name.replace(/\.ya?ml$/, "")}
              {it.inForce !== undefined && it.inForce !== it.text ? (
                <span className={styles.dot} title="Differs from what is in force" />
              ) : null}
            </button>
            <button
              type="button"
              className={styles.closeTab}
              aria-label={`Close the tab of ${it.name}`}
              onClick={() => drafts.act({ kind: "close", id: it.id })}
            >
              <X size={12} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
      {file === undefined ? null : <FileTools drafts={drafts} file={file} diff={diff} onDiff={onDiff} />}
    </div>
  );
}

function FileTools({
  drafts,
  file,
  diff,
  onDiff,
}: {
  readonly drafts: DraftsState;
  readonly file: Draft;
  readonly diff: boolean;
  onDiff(on: boolean): void;
}) {
  const [renaming, setRenaming] = useState(false);
  const changed = file.inForce !== undefined && file.inForce !== file.text;
  return (
    <div className={styles.fileTools}>
      {renaming ? (
        <input
          className={styles.rename}
          aria-label="Name of the file"
          defaultValue={file.name}
          autoFocus
          onBlur={(event) => {
            drafts.act({ kind: "rename", id: file.id, name: event.target.value });
            setRenaming(false);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
            if (event.key === "Escape") setRenaming(false);
          }}
        />
      ) : null}
      {changed ? (
        <Button look="bare" small aria-pressed={diff} onClick={() => onDiff(!diff)}>
          Diff to in force
        </Button>
      ) : null}
      <Tooltip text="Rename">
        <Button look="bare" small iconOnly aria-label="Rename the file" onClick={() => setRenaming(true)}>
          <Pencil size={13} aria-hidden="true" />
        </Button>
      </Tooltip>
      <Tooltip text="Download">
        <Button look="bare" small iconOnly aria-label="Download the file" onClick={() => download(file)}>
          <Download size={13} aria-hidden="true" />
        </Button>
      </Tooltip>
      <Tooltip text="Delete">
        <Button
          look="bare"
          small
          iconOnly
          aria-label="Delete the file"
          onClick={() =>
            confirm(`Delete ${file.name} from this browser?`) ? drafts.act({ kind: "delete", id: file.id }) : undefined
          }
        >
          <Trash2 size={13} aria-hidden="true" />
        </Button>
      </Tooltip>
    </div>
  );
}

function download({ name, text }: Draft): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}

/** What is wrong in the text, since when the answer stands, whether the file is in force. */
function StateLine({
  drafts,
  change,
  file,
}: {
  readonly drafts: DraftsState;
  readonly change: WhatWouldChange;
  readonly file: Draft;
}) {
  const own = change.problems.filter((problem) => problem.file === file.name);
  const errors = own.filter((problem) => problem.severity === "error");
  const first = errors[0] ?? own[0];
  const Icon = errors.length > 0 ? CircleAlert : TriangleAlert;
  return (
    <div className={styles.stateLine}>
      {first === undefined ? (
        <span className={styles.stateWords}>
          {drafts.full ? (
            <b className="tone-degraded">No room in this browser: download the file to keep it</b>
          ) : drafts.keptAt === undefined ? (
            "Draft kept in this browser"
          ) : (
            `Draft kept ${clockSeconds(drafts.keptAt)}`
          )}
        </span>
      ) : (
        <span className={`${styles.stateWords} ${errors.length > 0 ? "tone-denied" : "tone-degraded"}`} role="status">
          <Icon size={13} aria-hidden="true" />
          Line {first.line}: {first.message}
          {own.length > 1 ? `, and ${own.length - 1} more` : ""}
        </span>
      )}
      <Switch checked={file.inForce !== undefined} onChange={(on) => drafts.act({ kind: "in force", id: file.id, on })}>
        In force today
      </Switch>
      <span className={styles.unit}>conns</span>
    </div>
  );
}

/** The policy in plain English: its rules, the one on the chosen line marked. */
function Words({
  change,
  file,
  line,
}: {
  readonly change: WhatWouldChange;
  readonly file: Draft;
  readonly line: Props["line"];
}) {
  const sentences = change.judged?.sentences.filter((sentence) => sentence.file === file.name) ?? [];
  if (sentences.length === 0) return null;
  return (
    <details className={styles.words} open>
      <summary>In words</summary>
      <ul>
        {sentences.slice(0, 60).map((sentence) => (
          <li
            key={`${sentence.line} ${sentence.text}`}
            data-summary={sentence.isSummary}
            data-on={line?.file === file.name && line.line === sentence.line}
          >
            {sentence.text}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Nothing is open: what the page is for, and ways to begin. */
function Start({ drafts, names }: { readonly drafts: DraftsState; readonly names: Names | undefined }) {
  return (
    <div className={styles.start}>
      <h2>Try a policy before it bites</h2>
      <p>
        Write or open a policy. While you type, every connection of the range is judged again: what it would deny, what
        it would allow, and which line decides.
      </p>
      <ul>
        {(names === undefined ? [] : examples(names)).map((example) => (
          <li key={example.name}>
            <button type="button" onClick={() => drafts.act({ kind: "add", name: example.name, text: example.text })}>
              <b>{example.title}</b>
              <span>{example.says}</span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" onClick={() => drafts.act({ kind: "add", name: "policy.yaml", text: "" })}>
            <b>Empty file</b>
            <span>
              NetworkPolicy, AdminNetworkPolicy, Cilium's and Calico's kinds are read. Ctrl Space lists what can be
              written.
            </span>
          </button>
        </li>
      </ul>
    </div>
  );
}

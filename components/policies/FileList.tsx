"use client";

import { ShieldCheck } from "lucide-react";
import type { PolicyFolder } from "../../model/wire/answers/policy-files.ts";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import { count } from "../parts/numbers.ts";
import type { Judged, PolicyFacts } from "./answers.ts";
import styles from "./FileList.module.css";
import { OpenFiles } from "./OpenFiles.tsx";
import type { DraftsState } from "./use-drafts.ts";
import type { Draft } from "./drafts.ts";

interface Props {
  readonly drafts: DraftsState;
  /** The server's folder; null: it was given none. */
  readonly folder: PolicyFolder | null | undefined;
  readonly judged: Judged | undefined;
  readonly problems: readonly PolicyProblem[];
  /** True: over the text, where a window is too small to show it beside. */
  readonly shown: boolean;
  onPicked(): void;
  onNotice(text: string): void;
}

/** The files of the server's folder and of this browser with their state, and the policies in them. */
export function FileList({ drafts, folder, judged, problems, shown: over, onPicked, onNotice }: Props) {
  const { files, active } = drafts.drafts;
  const own = files.filter((file) => file.fromFolder !== true);
  const opened = new Map(files.filter((file) => file.fromFolder === true).map((file) => [file.name, file]));
  const onDisk = folder?.files ?? [];
  const hasFolder = folder !== null && folder !== undefined;
  const names = new Set(onDisk.map((file) => file.name));
  const entry = (name: string, shown: string, state: string, id: string | undefined, onOpen: () => void) => (
    <li key={name}>
      <button
        type="button"
        className={styles.file}
        aria-current={id !== undefined && id === active ? "true" : undefined}
        title={name}
        onClick={() => {
          onOpen();
          onPicked();
        }}
      >
        <span className={styles.fileName}>{shown.replace(/\.ya?ml$/, "")}</span>
        <span className={styles.fileState}>{state}</span>
      </button>
      <Inside name={name} judged={judged} problems={problems} />
    </li>
  );
  return (
    <nav className={styles.files} aria-label="Files of policies" data-over={over}>
      <div className={styles.filesHead}>
        <span>{headWords(onDisk.length, own)}</span>
        <OpenFiles drafts={drafts} onNotice={onNotice} />
      </div>
      <div className={styles.lists}>
        {!hasFolder ? null : (
          <section aria-label="Folder of the server">
            <h2 title={folder.path}>
              <bdi dir="ltr">{folder.path}</bdi>
            </h2>
            {folder.problem === undefined ? null : <p className="tone-degraded">The folder: {folder.problem}</p>}
            <ul>
              {onDisk.map(({ name, text }) => {
                const draft = opened.get(name);
                const unread = problems.some((problem) => problem.file === name && problem.severity === "error");
                const edited = draft !== undefined && draft.text !== text;
                const state = edited ? "changed" : unread ? "not read" : "in force";
                return entry(name, name.slice(name.indexOf("/") + 1), state, draft?.id, () =>
                  drafts.act({ kind: "open from folder", name, disk: text }),
                );
              })}
              {[...opened.values()]
                .filter((file) => !names.has(file.name))
                .map((file) =>
                  entry(file.name, file.name.slice(file.name.indexOf("/") + 1), "gone from disk", file.id, () =>
                    drafts.act({ kind: "show", id: file.id }),
                  ),
                )}
            </ul>
            {onDisk.length > 0 || folder.problem !== undefined ? null : <p>No .yaml, .yml or .json files in it yet.</p>}
            {folder.leftOut.length === 0 ? null : (
              <details className={styles.leftOut}>
                <summary>{count(folder.leftOut.length)} left out</summary>
                <ul>
                  {folder.leftOut.slice(0, 50).map(({ name, why }) => (
                    <li key={name}>
                      {name}: {why}
                    </li>
                  ))}
                </ul>
              </details>
            )}
          </section>
        )}
        <section aria-label="Drafts of this browser">
          {!hasFolder ? null : <h2>This browser</h2>}
          <ul>
            {own.map((file) =>
              entry(file.name, file.name, stateOf(file), file.id, () => drafts.act({ kind: "show", id: file.id })),
            )}
          </ul>
          {own.length === 0 ? <p>No drafts. Drop files or a folder here, or begin one with +.</p> : null}
        </section>
      </div>
      <p className={styles.filesFoot}>
        <ShieldCheck size={13} aria-hidden="true" />
        <span>
          Drafts stay in this browser; nothing is applied.{" "}
          {!hasFolder
            ? "A cluster's own policies can't be read yet: export them with kubectl and start with --policies DIR."
            : "The folder is read only."}
        </span>
      </p>
    </nav>
  );
}

function headWords(onDisk: number, own: readonly Draft[]): string {
  const inForce = onDisk + own.filter((file) => file.inForce !== undefined).length;
  const all = onDisk + own.length;
  return `${count(all)} ${all === 1 ? "file" : "files"}, ${count(inForce)} in force`;
}

function stateOf(file: Draft): string {
  if (file.inForce === undefined) return "draft";
  return file.inForce === file.text ? "in force" : "changed";
}

const MOST_INSIDE = 8;

/** What is wrong in a file, and the policies in it. */
function Inside({
  name,
  judged,
  problems,
}: {
  readonly name: string;
  readonly judged: Judged | undefined;
  readonly problems: readonly PolicyProblem[];
}) {
  const policies = judged?.policies.filter((policy) => policy.file === name) ?? [];
  const errors = problems.filter((problem) => problem.file === name && problem.severity === "error");
  const first = errors[0];
  if (policies.length === 0 && first === undefined) return null;
  return (
    <ul className={styles.policies}>
      {first === undefined ? null : (
        <li className="tone-denied" title={first.message}>
          Line {first.line}: {first.message}
        </li>
      )}
      {policies.slice(0, MOST_INSIDE).map((policy) => (
        <li
          key={`${policy.kind} ${policy.namespace} ${policy.name} ${policy.line}`}
          title={`${policy.kind}, line ${policy.line}`}
        >
          {policy.namespace === "" ? "" : `${policy.namespace}/`}
          {policy.name}
          <span>{insideWords(policy)}</span>
        </li>
      ))}
      {policies.length > MOST_INSIDE ? <li>{count(policies.length - MOST_INSIDE)} more</li> : null}
    </ul>
  );
}

const SHORT_KINDS: Readonly<Record<string, string>> = {
  NetworkPolicy: "NP",
  AdminNetworkPolicy: "ANP",
  BaselineAdminNetworkPolicy: "BANP",
  ClusterNetworkPolicy: "CNP v1alpha2",
  CiliumNetworkPolicy: "Cilium",
  CiliumClusterwideNetworkPolicy: "Cilium cluster",
  GlobalNetworkPolicy: "Calico global",
};

function insideWords({ kind, selects }: PolicyFacts): string {
  const short = SHORT_KINDS[kind] ?? kind;
  if (selects === undefined) return short;
  return `${short}, ${selects} ${selects === 1 ? "workload" : "workloads"}`;
}

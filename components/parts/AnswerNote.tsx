"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { WeirError } from "../../model/errors.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useWhatBecameOfEvents } from "../questions/use-what-became-of-events.ts";
import styles from "./AnswerNote.module.css";
import { Button } from "./Button.tsx";

/** What AnswerNote needs of a question; React Query's result has it. */
export interface AnswerState {
  readonly isPending: boolean;
  readonly isError: boolean;
  readonly error: Error | null;
  /** idle while pending: it was stopped, or not asked yet. */
  readonly fetchStatus?: "fetching" | "paused" | "idle";
  refetch(): unknown;
}

/** Why there is nothing to see. Each kind has its own words and its own next step. */
export type Emptiness =
  | { readonly kind: "nothing-happened"; readonly text?: string }
  | { readonly kind: "filtered-out"; readonly unfiltered?: string }
  | { readonly kind: "no-collector" }
  | { readonly kind: "no-permission"; readonly namespaces?: string };

interface AnswerNoteProps {
  readonly answer: AnswerState;
  /** What is being read, as a noun: "service map", "drops by reason". */
  readonly of: string;
  /** Said when the answer is there and empty. Without it the note assumes the filter, else that nothing happened. */
  readonly empty?: Emptiness;
  /** Stops the question while it is read; by default all questions without an answer are stopped, and the clock. */
  onCancel?(): void;
}

const LOADING_SHOWN_MS = 150; // quicker answers would only flash

/**
 * Stands where an answer would: while it is read, when it failed, when it is empty. Use:
 * `if (answer.data === undefined || answer.data.edges.length === 0) return <AnswerNote answer={answer} of="service map" />`.
 */
export function AnswerNote({ answer, of, empty, onCancel }: AnswerNoteProps) {
  const stop = useStopReading();
  if (answer.isError) return <FailureNote error={answer.error} of={of} onRetry={() => void answer.refetch()} />;
  if (answer.isPending && answer.fetchStatus === "idle")
    return <StoppedNote of={of} onAsk={() => void answer.refetch()} />;
  if (answer.isPending) return <LoadingNote of={of} onCancel={onCancel ?? stop} />;
  return <EmptyNote {...(empty === undefined ? {} : { empty })} />;
}

/** Stops every question that has no answer yet, in the store too, and the clock, which would ask again. */
function useStopReading(): () => void {
  const client = useQueryClient();
  const { live, setLive } = useUrlState();
  return () => {
    if (live) setLive(false);
    void client.cancelQueries({
      predicate: ({ state }) => state.fetchStatus === "fetching" && state.data === undefined,
    });
  };
}

function StoppedNote({ of, onAsk }: { readonly of: string; onAsk(): void }) {
  return (
    <Note title={`The ${of} was not read`} actions={<Button onClick={onAsk}>Ask again</Button>}>
      The question was stopped before it was answered.
    </Note>
  );
}

/** Names the work and how long it takes so far. */
function LoadingNote({ of, onCancel }: { readonly of: string; onCancel?(): void }) {
  const [seconds, setSeconds] = useState<number | undefined>();
  useEffect(() => {
    const start = performance.now();
    const show = setTimeout(() => setSeconds(0), LOADING_SHOWN_MS);
    const count = setInterval(() => setSeconds(Math.floor((performance.now() - start) / 1000)), 1000);
    return () => {
      clearTimeout(show);
      clearInterval(count);
    };
  }, []);
  if (seconds === undefined) return <Note hidden title={`Reading the ${of}`} />;
  return (
    <Note
      title={`Reading the ${of}`}
      busy
      {...(onCancel === undefined || seconds < 1 ? {} : { actions: <Button onClick={onCancel}>Cancel</Button> })}
    >
      {seconds < 2
        ? "Asked; the answer is on its way."
        : `No answer yet after ${seconds} s. A long range, or a store that is still starting, takes longer.`}
    </Note>
  );
}

/** What failed, where, and what to do next. */
function FailureNote({ error, of, onRetry }: { readonly error: Error | null; readonly of: string; onRetry(): void }) {
  const known = error instanceof WeirError ? error : undefined;
  const { q, setFilter } = useUrlState();
  const isFilter = q !== "" && known?.where?.startsWith("filter") === true; // asking the same again helps nobody
  return (
    <Note
      tone="denied"
      title={`The ${of} could not be read`}
      actions={
        isFilter ? (
          <Button onClick={() => setFilter("")}>Clear the filter</Button>
        ) : (
          <Button onClick={onRetry}>Ask again</Button>
        )
      }
    >
      {known === undefined ? (error?.message ?? "for a reason that was not told") : sentence(known.what)}
      {known?.where === undefined ? null : <code className={styles.where}>{known.where}</code>}
      {known?.next === undefined ? null : <span className={styles.next}>{sentence(known.next)}</span>}
    </Note>
  );
}

function EmptyNote({ empty }: { readonly empty?: Emptiness }) {
  const { q, scope, setFilter, setScope, setRange } = useUrlState();
  const books = useWhatBecameOfEvents();
  const kind = empty?.kind ?? (q !== "" || scope.length > 0 ? "filtered-out" : "nothing-happened");
  const lastHour = <Button onClick={() => setRange({ from: "now-1h", to: "now" })}>Show the last hour</Button>;
  if ((kind === "filtered-out" || kind === "nothing-happened") && books.data?.total.produced === 0) {
    return (
      <Note title="Nothing was observed in this range" actions={lastHour}>
        No collector reported in this time, so nothing is known about it.
      </Note>
    );
  }
  if (kind === "filtered-out") {
    const whole = empty?.kind === "filtered-out" ? empty.unfiltered : undefined;
    return (
      <Note
        title={q === "" ? "Nothing in this scope" : "Nothing matches the filter"}
        actions={
          <>
            {q === "" ? null : <Button onClick={() => setFilter("")}>Clear the filter</Button>}
            {scope.length === 0 ? null : <Button onClick={() => setScope([])}>Show all namespaces</Button>}
          </>
        }
      >
        {whole ?? "The range has been read; nothing in it fits."} {q === "" ? null : <code>{q}</code>}
      </Note>
    );
  }
  if (kind === "no-permission") {
    const names = empty?.kind === "no-permission" ? empty.namespaces : undefined;
    return (
      <Note title={names === undefined ? "You may not see this" : `You may not see ${names}`}>
        Your account can't list what runs there. Ask who runs this cluster for that right.
      </Note>
    );
  }
  if (kind === "no-collector") {
    return (
      <Note title="No collector is sending to this store">
        Start one on each machine whose traffic you want to see: <code>sudo ./bin/weir collect</code>
      </Note>
    );
  }
  return (
    <Note title="Nothing happened in this range" actions={lastHour}>
      {(empty?.kind === "nothing-happened" ? empty.text : undefined) ??
        "Collectors reported, and there was no traffic in this time."}
    </Note>
  );
}

interface NoteProps {
  readonly title: string;
  readonly tone?: "denied";
  readonly busy?: boolean;
  readonly hidden?: boolean;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** A message in the place of content. */
export function Note({ title, tone, busy, hidden, actions, children }: NoteProps) {
  return (
    <div
      className={styles.note}
      role={tone === "denied" ? "alert" : "status"}
      aria-busy={busy ?? false}
      data-hidden={hidden ?? false}
    >
      <p className={styles.title} data-tone={tone}>
        {title}
      </p>
      {children === undefined ? null : <div className={styles.text}>{children}</div>}
      {busy === true ? <div className={styles.progress} aria-hidden="true" /> : null}
      {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
    </div>
  );
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?]$/.test(upper) ? upper : `${upper}.`;
}

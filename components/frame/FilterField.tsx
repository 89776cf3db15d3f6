"use client";

import { Search, X } from "lucide-react";
import { useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { KeyCap } from "../parts/KeyCap.tsx";
import { count } from "../parts/numbers.ts";
import { useWhatExists } from "../questions/use-what-exists.ts";
import styles from "./FilterField.module.css";
import {
  filterTokens,
  keyCompletions,
  splitTerm,
  valueCompletions,
  valueQuestion,
  type Completion,
} from "./filter-words.ts";
import { useClient } from "./use-client.ts";
import { useUrlState } from "./use-url-state.ts";

const LISTED = 10;

/** Terms as tokens, one draft behind them. Enter or a space applies it, Tab takes a completion, Backspace takes a token back. */
export function FilterField() {
  const { q, setFilter } = useUrlState();
  const tokens = useMemo(() => filterTokens(q), [q]);
  const [draft, setDraft] = useState("");
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  const list = useId();
  const completions = useCompletions(draft, open);
  const draftProblem = useMemo(
    () =>
      draft.trim() === "" || open
        ? undefined
        : filterTokens(draft).find((token) => token.problem !== undefined)?.problem,
    [draft, open],
  );
  const problem = draftProblem ?? tokens.find((token) => token.problem !== undefined)?.problem;

  const put = (terms: readonly string[]): void => setFilter(terms.join(" "));
  const apply = (text: string): void => {
    setOpen(false);
    setChosen(-1);
    if (text.trim() === "" || filterTokens(text).some((token) => token.problem !== undefined)) return setDraft(text);
    put([...tokens.map((token) => token.text), text.trim()]);
    setDraft("");
  };
  const take = (completion: Completion): void => {
    setChosen(-1);
    if (completion.endsTerm) return apply(completion.draft);
    setDraft(completion.draft);
    field.current?.focus();
  };
  const key = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      setOpen(true);
      setChosen((at) => Math.max(-1, Math.min(completions.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Tab" && open && !event.shiftKey && draft !== "" && completions.length > 0) {
      take(completions[Math.max(0, chosen)]!);
    } else if (event.key === "Enter") {
      if (open && chosen >= 0) take(completions[chosen]!);
      else apply(draft);
    } else if (event.key === " " && draft.trim() !== "" && !endsInQuote(draft)) {
      apply(draft);
    } else if (event.key === "Backspace" && draft === "" && tokens.length > 0) {
      setDraft(tokens.at(-1)!.text);
      put(tokens.slice(0, -1).map((token) => token.text));
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else field.current?.blur();
    } else return;
    event.preventDefault();
  };

  return (
    <div className={styles.place}>
      <div className={styles.field} data-wrong={problem !== undefined} onClick={() => field.current?.focus()}>
        <Search size={14} aria-hidden="true" />
        {tokens.map((token, index) => (
          <Token
            key={`${index} ${token.text}`}
            text={token.text}
            wrong={token.problem !== undefined}
            onRemove={() => put(tokens.filter((_, at) => at !== index).map((other) => other.text))}
          />
        ))}
        <input
          ref={field}
          data-frame-filter=""
          className={styles.input}
          value={draft}
          placeholder={tokens.length === 0 ? "Filter: src:ns=storefront verdict:dropped" : ""}
          role="combobox"
          aria-label="Filter"
          aria-expanded={open && completions.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={open && chosen >= 0 ? `${list}-${chosen}` : undefined}
          aria-invalid={problem !== undefined}
          aria-describedby={`${list}-problem`}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => {
            setDraft(event.target.value);
            setOpen(true);
            setChosen(-1);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={key}
        />
        {draft === "" ? <KeyCap>/</KeyCap> : <span className={styles.hint}>Enter applies</span>}
      </div>
      <div className={styles.below} hidden={!open || completions.length === 0}>
        <ul role="listbox" id={list} aria-label="Completions">
          {completions.map((completion, index) => (
            <li
              key={completion.draft}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === chosen}
              className={styles.option}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => take(completion)}
            >
              <code>{completion.label}</code>
              <span>{completion.words}</span>
              {completion.count === undefined || completion.count === 0 ? null : <b>{count(completion.count)}</b>}
            </li>
          ))}
        </ul>
        <p>Tab takes it · - in front excludes · , means or</p>
      </div>
      <p
        id={`${list}-problem`}
        role="status"
        className={problem === undefined || open ? "visually-hidden" : styles.problem}
      >
        {problem}
      </p>
    </div>
  );
}

function Token({ text, wrong, onRemove }: { readonly text: string; readonly wrong: boolean; onRemove(): void }) {
  const { key, value } = splitTerm(text);
  return (
    <span className={styles.token} data-wrong={wrong}>
      <span className={styles.key}>{key}</span>
      <span>{value}</span>
      <button type="button" aria-label={`Remove ${text}`} onClick={onRemove}>
        <X size={11} aria-hidden="true" />
      </button>
    </span>
  );
}

function useCompletions(draft: string, open: boolean): readonly Completion[] {
  const client = useClient();
  const question = useMemo(() => valueQuestion(draft), [draft]);
  const answer = useWhatExists(question?.key ?? "", question?.prefix ?? "", open && client && question !== undefined);
  return useMemo(() => {
    if (question === undefined) return keyCompletions(draft).slice(0, draft === "" ? 6 : LISTED);
    return valueCompletions(draft, answer.data?.values ?? []).slice(0, LISTED);
  }, [draft, question, answer.data]);
}

/** Whether a draft has an open quote, in which a space is a character. */
function endsInQuote(draft: string): boolean {
  return (draft.replaceAll(/\\./g, "").split('"').length - 1) % 2 === 1;
}

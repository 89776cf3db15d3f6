"use client";

import { ChevronDown, ScanSearch } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";
import { Completions } from "../../model/wire/answers/flows.ts";
import { count } from "../parts/numbers.ts";
import { useQuestion } from "../questions/use-question.ts";
import styles from "./TopBar.module.css";
import { useUrlState } from "./use-url-state.ts";

/** Which namespaces are in view. */
export function ScopeMenu() {
  const { scope, setScope } = useUrlState();
  const [open, setOpen] = useState(false);
  const words = scope.length === 0 ? "all namespaces" : scope.length === 1 ? scope[0] : `${scope.length} namespaces`;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <button type="button" className={styles.control} aria-label={`Scope: ${words}`}>
          <ScanSearch size={14} aria-hidden="true" />
          <span className={styles.label}>Scope</span>
          <span className={styles.value}>{words}</span>
          <ChevronDown size={13} aria-hidden="true" />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className={styles.menu}
          align="start"
          sideOffset={6}
          collisionPadding={8}
          aria-label="Namespaces in view"
        >
          <Namespaces scope={scope} onScope={setScope} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Namespaces({
  scope,
  onScope,
}: {
  readonly scope: readonly string[];
  onScope(scope: readonly string[]): void;
}) {
  const answer = useQuestion("namespaces", "/api/complete", Completions, {
    params: { key: "ns", prefix: "", q: "", scope: "" },
  });
  const values = answer.data?.values.filter((entry) => entry.value !== "") ?? [];
  const names = [...new Set([...values.map((entry) => entry.value), ...scope])];
  const counts = new Map(values.map((entry) => [entry.value, entry.count]));
  const flip = (name: string): void =>
    onScope(scope.includes(name) ? scope.filter((other) => other !== name) : [...scope, name]);
  return (
    <>
      <button type="button" className={styles.item} aria-pressed={scope.length === 0} onClick={() => onScope([])}>
        All namespaces
      </button>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          className={styles.item}
          aria-pressed={scope.includes(name)}
          onClick={() => flip(name)}
        >
          {name}
          <span className={styles.count}>{counts.has(name) ? count(counts.get(name)!) : "none in range"}</span>
        </button>
      ))}
      <p className={styles.hint}>
        {answer.isPending
          ? "Reading the namespaces of the range."
          : answer.isError
            ? `The namespaces could not be read: ${answer.error.message}`
            : "Flows with an end in one of the pressed ones; counts are rows in the range."}
      </p>
    </>
  );
}

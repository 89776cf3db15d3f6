"use client";

import { Columns3 } from "lucide-react";
import { parseAsArrayOf, parseAsString, useQueryState } from "nuqs";
import { Popover } from "radix-ui";
import { useMemo } from "react";
import { Button } from "./Button.tsx";
import styles from "./ColumnMenu.module.css";
import { Switch } from "./Switch.tsx";
import type { Column } from "./Table.tsx";

const parser = parseAsArrayOf(parseAsString);

/** The shown ones of `all`, from the URL's `name` (`cols=time,source`); `standard` while the URL names none. */
export function useShownColumns<Row>(name: string, all: readonly Column<Row>[], standard: readonly string[]) {
  const [chosen, setChosen] = useQueryState(name, parser);
  const shown = useMemo(() => {
    const ids = new Set(chosen ?? standard);
    const columns = all.filter((column) => ids.has(column.id));
    return columns.length === 0 ? all.filter((column) => standard.includes(column.id)) : columns; // a URL of strange names
  }, [all, chosen, standard]);
  const choose = (ids: readonly string[]): void =>
    void setChosen(ids.length === 0 || ids.join() === standard.join() ? null : [...ids]);
  return { shown, choose };
}

interface ColumnMenuProps<Row> {
  readonly all: readonly Column<Row>[];
  readonly shown: readonly Column<Row>[];
  onChoose(ids: readonly string[]): void;
}

/** "10 of 24 columns": which ones a table shows. The last one can't be taken away. */
export function ColumnMenu<Row>({ all, shown, onChoose }: ColumnMenuProps<Row>) {
  const ids = new Set(shown.map((column) => column.id));
  const flip = (id: string, on: boolean): void => {
    const next = all.map((column) => column.id).filter((other) => (other === id ? on : ids.has(other)));
    if (next.length > 0) onChoose(next);
  };
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <Button>
          <Columns3 size={14} aria-hidden="true" />
          {shown.length} of {all.length} columns
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={styles.menu} align="end" sideOffset={6} collisionPadding={8} aria-label="Columns">
          {all.map((column) => (
            <Switch key={column.id} checked={ids.has(column.id)} onChange={(on) => flip(column.id, on)}>
              {column.title === "" ? column.id : column.title}
            </Switch>
          ))}
          <Button small look="bare" onClick={() => onChoose([])}>
            Standard columns
          </Button>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

"use client";

import { useCallback, useMemo, useState } from "react";
import { Note } from "../parts/AnswerNote.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { FlowEnd, MatrixAnswer, Response } from "./answers.ts";
import styles from "./Matrix.module.css";
import page from "./Policies.module.css";
import { useAsked } from "./use-asked.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const read = (response: Response): MatrixAnswer | undefined =>
  response.kind === "matrix" ? response.matrix : undefined;

/** Of each cell: neither, may and did not, did and may not, may and did. Sign and word, never colour alone. */
const CELLS = [
  { sign: "·", words: "may not, and nobody did" },
  { sign: "○", words: "may, but nobody did" },
  { sign: "×", words: "did, and may not" },
  { sign: "●", words: "may, and did" },
] as const;

type Order = "traffic" | "name";

/** Who may talk to whom, and did anyone? Rows are sources, columns destinations. */
export function MatrixView({
  change,
  onLine,
}: {
  readonly change: WhatWouldChange;
  onLine(file: string, line: number): void;
}) {
  const { judged, client } = change;
  const ask = useCallback(
    (to: WhatIfClient) =>
      judged === undefined ? Promise.reject(new Error("nothing was judged yet")) : to.ask({ kind: "matrix" }),
    [judged],
  );
  const { answer, failure } = useAsked(client, judged === undefined ? undefined : ask, read);
  const [order, setOrder] = useState<Order>("traffic");
  const [at, setAt] = useState<number>();
  const places = useMemo(() => {
    const list = answer?.sources.map((_, index) => index) ?? [];
    return order === "traffic" || answer === undefined
      ? list
      : list.toSorted((a, b) => nameOf(answer.sources[a]!).localeCompare(nameOf(answer.sources[b]!)));
  }, [answer, order]);
  if (failure !== undefined)
    return (
      <Note tone="denied" title="The matrix could not be worked out">
        {failure}
      </Note>
    );
  if (answer === undefined)
    return (
      <p className={page.loading}>
        {change.stale === "problems" ? "No answer yet: the text has an error." : "Asking every pair"}
      </p>
    );
  const n = answer.sources.length;
  const line = at === undefined ? undefined : answer.lines[at];
  return (
    <div className={styles.matrix}>
      <header>
        <h2>Who may talk to whom, and did anyone?</h2>
        <ul aria-label="Signs">
          {CELLS.map((cell) => (
            <li key={cell.sign}>
              <b aria-hidden="true">{cell.sign}</b> {cell.words}
            </li>
          ))}
        </ul>
        <Segmented
          label="Order"
          value={order}
          onChange={(value) => setOrder(value as Order)}
          options={[
            { value: "traffic", label: "By traffic" },
            { value: "name", label: "By name" },
          ]}
        />
      </header>
      <p className={styles.basis} role="status">
        {at === undefined
          ? "Rows are sources, columns destinations, on the four ports most seen at each destination. Point at a cell for the line that decides."
          : `${nameOf(answer.sources[Math.floor(at / n)]!)} → ${nameOf(answer.destinations[at % n]!)}: ${CELLS[answer.cells[at]!]!.words}${answer.connections[at]! > 0 ? `, ${count(answer.connections[at]!)} connections` : ""}; ${line === undefined ? "no policy decides" : `${line.file} line ${line.line}${line.isDefault ? ", default deny" : ""}`}`}
      </p>
      <div className={styles.grid} tabIndex={0} role="region" aria-label="Matrix">
        <table>
          <thead>
            <tr>
              <td />
              {places.map((to) => (
                <th key={to} scope="col">
                  <span>{nameOf(answer.destinations[to]!)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {places.map((from) => (
              <tr key={from}>
                <th scope="row">{nameOf(answer.sources[from]!)}</th>
                {places.map((to) => {
                  const cell = from * n + to;
                  const kind = answer.cells[cell]!;
                  const by = answer.lines[cell];
                  return (
                    <td
                      key={to}
                      data-kind={kind}
                      data-at={cell === at}
                      onMouseEnter={() => setAt(cell)}
                      onClick={() => (by === undefined ? setAt(cell) : onLine(by.file, by.line))}
                    >
                      <span aria-hidden="true">{CELLS[kind]!.sign}</span>
                      <span className="visually-hidden">{CELLS[kind]!.words}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function nameOf({ namespace, workload }: FlowEnd): string {
  return namespace === "" ? workload : `${namespace}/${workload}`;
}

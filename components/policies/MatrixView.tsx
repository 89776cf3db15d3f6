"use client";

import { useCallback, useMemo, useState } from "react";
import { Note } from "../parts/AnswerNote.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { MatrixAnswer, Response } from "./answers.ts";
import styles from "./Matrix.module.css";
import { CELLS, nameOf, placesBy, type MatrixOrder } from "./matrix-cells.ts";
import { MatrixGrid } from "./MatrixGrid.tsx";
import page from "./Policies.module.css";
import { useAsked } from "./use-asked.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const read = (response: Response): MatrixAnswer | undefined =>
  response.kind === "matrix" ? response.matrix : undefined;

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
  const [order, setOrder] = useState<MatrixOrder>({ by: "traffic" });
  const [at, setAt] = useState<number>();
  const places = useMemo(() => (answer === undefined ? undefined : placesBy(answer, order)), [answer, order]);
  if (failure !== undefined)
    return (
      <Note tone="denied" title="The matrix could not be worked out">
        {failure}
      </Note>
    );
  if (answer === undefined || places === undefined)
    return (
      <p className={page.loading}>
        {change.stale === "problems" ? "No answer yet: the text has an error." : "Asking every pair"}
      </p>
    );
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
          value={order.by === "name" || order.by === "traffic" ? order.by : ""}
          onChange={(by) => setOrder({ by: by === "name" ? "name" : "traffic" })}
          options={[
            { value: "traffic", label: "By traffic" },
            { value: "name", label: "By name" },
          ]}
        />
      </header>
      <p className={styles.basis} role="status">
        {at === undefined ? <Hint order={order} answer={answer} /> : <CellWords answer={answer} at={at} />}
      </p>
      <MatrixGrid
        answer={answer}
        places={places}
        order={order}
        at={at}
        onAt={setAt}
        onOrder={setOrder}
        onOpen={(cell) => {
          const line = answer.lines[cell];
          if (line !== undefined) onLine(line.file, line.line);
        }}
      />
    </div>
  );
}

function Hint({ order, answer }: { readonly order: MatrixOrder; readonly answer: MatrixAnswer }) {
  if (order.by === "destination")
    return <>Sources by connections to {nameOf(answer.destinations[order.of]!)}, most first.</>;
  if (order.by === "source")
    return <>Destinations by connections from {nameOf(answer.sources[order.of]!)}, most first.</>;
  return (
    <>
      Rows are sources, columns destinations, on the four ports most seen at each destination. Point at a cell, or walk
      with the arrow keys, for the line that decides; Enter opens it. A name sorts by its connections.
    </>
  );
}

function CellWords({ answer, at }: { readonly answer: MatrixAnswer; readonly at: number }) {
  const n = answer.sources.length;
  const line = answer.lines[at];
  const seen = answer.connections[at]!;
  return (
    <>
      <b>
        {nameOf(answer.sources[Math.floor(at / n)]!)} → {nameOf(answer.destinations[at % n]!)}
      </b>
      : {CELLS[answer.cells[at]!]!.words}
      {seen > 0 ? `, ${count(seen)} connections` : ""};{" "}
      {line === undefined
        ? "no policy decides"
        : `${line.file} line ${line.line}${line.isDefault ? ", default deny" : ""}`}
    </>
  );
}

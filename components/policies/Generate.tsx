"use client";

import { useCallback, useMemo, useState } from "react";
import { GENERATED_KINDS, type GeneratedKind } from "../../policy/generate/write.ts";
import { Note } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
import { ago, count } from "../parts/numbers.ts";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { GenerateAnswer, GenerateRequest, Loaded, Response } from "./answers.ts";
import styles from "./Report.module.css";
import page from "./Policies.module.css";
import { useAsked } from "./use-asked.ts";
import type { DraftsState } from "./use-drafts.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const KINDS = Object.keys(GENERATED_KINDS) as GeneratedKind[];
/** Steps of the two sliders. */
const LEAST = [1, 2, 5, 10, 25, 50, 100, 250, 1000];

const read = (response: Response): GenerateAnswer | undefined =>
  response.kind === "generated" ? response.generated : undefined;

/** Least privilege for what was seen: whom, which kind, and what is too rare to count; the result opens in the editor. */
export function Generate({
  change,
  loaded,
  drafts,
  onDone,
}: {
  readonly change: WhatWouldChange;
  readonly loaded: Loaded;
  readonly drafts: DraftsState;
  onDone(): void;
}) {
  const { namespaces, workloads } = loaded.names;
  const [namespace, setNamespace] = useState(namespaces[0] ?? "");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [kind, setKind] = useState<GeneratedKind>("NetworkPolicy");
  const [least, setLeast] = useState(0);
  const [age, setAge] = useState(10);
  const [directions, setDirections] = useState<GenerateRequest["directions"]>(["ingress", "egress"]);
  const { from, to } = loaded.basis;
  const seenSince = age === 10 ? 0 : to - ((to - from) * age) / 10;
  const request = useMemo(
    (): GenerateRequest => ({
      kind,
      namespace,
      workloads: chosen,
      minConnections: LEAST[least]!,
      seenSince,
      directions,
    }),
    [kind, namespace, chosen, least, seenSince, directions],
  );
  const ask = useCallback((client: WhatIfClient) => client.ask({ kind: "generate", request }), [request]);
  const { answer, failure } = useAsked(change.client, ask, read);
  const own = workloads.filter((it) => it.namespace === namespace);
  return (
    <div className={styles.wizard}>
      <form className={styles.form} aria-label="What to generate" onSubmit={(event) => event.preventDefault()}>
        <label>
          Namespace
          <select
            value={namespace}
            onChange={(event) => {
              setNamespace(event.target.value);
              setChosen([]);
            }}
          >
            {namespaces.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>Workloads, all where none is ticked</legend>
          {[...new Set(own.map((it) => it.workload))].slice(0, 60).map((workload) => (
            <label key={workload}>
              <input
                type="checkbox"
                checked={chosen.includes(workload)}
                onChange={(event) =>
                  setChosen(event.target.checked ? [...chosen, workload] : chosen.filter((it) => it !== workload))
                }
              />
              {workload}
            </label>
          ))}
        </fieldset>
        <label>
          Kind
          <select value={kind} onChange={(event) => setKind(event.target.value as GeneratedKind)}>
            {KINDS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>Directions</legend>
          {(["ingress", "egress"] as const).map((direction) => (
            <label key={direction}>
              <input
                type="checkbox"
                checked={directions.includes(direction)}
                onChange={(event) =>
                  setDirections(
                    event.target.checked ? [...directions, direction] : directions.filter((it) => it !== direction),
                  )
                }
              />
              {direction}
            </label>
          ))}
        </fieldset>
        <label>
          Leave out flows under {LEAST[least]} {LEAST[least] === 1 ? "connection" : "connections"}
          <input
            type="range"
            min={0}
            max={LEAST.length - 1}
            value={least}
            onChange={(event) => setLeast(Number(event.target.value))}
          />
        </label>
        <label>
          {seenSince === 0 ? "Count flows of the whole range" : `Leave out flows not seen since ${ago(seenSince, to)}`}
          <input type="range" min={1} max={10} value={age} onChange={(event) => setAge(Number(event.target.value))} />
        </label>
        <Button
          look="primary"
          disabled={answer === undefined || answer.policies.length === 0 || directions.length === 0}
          onClick={() => {
            if (answer === undefined) return;
            drafts.act({
              kind: "add",
              name: `${chosen.length === 1 ? chosen[0]! : namespace}-generated.yaml`,
              text: answer.yaml,
            });
            onDone();
          }}
        >
          Open in the editor
        </Button>
      </form>
      <div className={styles.report} aria-live="polite">
        {failure !== undefined ? (
          <Note tone="denied" title="Nothing could be generated">
            {failure}
          </Note>
        ) : answer === undefined ? (
          <p className={page.loading}>Reading what was seen</p>
        ) : (
          <Result answer={answer} />
        )}
      </div>
    </div>
  );
}

function Result({ answer }: { readonly answer: GenerateAnswer }) {
  const rules = answer.policies.reduce((sum, policy) => sum + policy.rules.length, 0);
  return (
    <>
      <h2>
        {count(answer.policies.length)} {answer.policies.length === 1 ? "policy" : "policies"} with {count(rules)}{" "}
        {rules === 1 ? "rule" : "rules"}
        {answer.leftOut === 0
          ? ""
          : `; ${count(answer.leftOut)} ${answer.leftOut === 1 ? "flow is" : "flows are"} left out and would be denied`}
      </h2>
      {answer.leftOutFlows.length === 0 ? null : (
        <details className={styles.leftOut}>
          <summary>What is left out</summary>
          <ul>
            {answer.leftOutFlows.map((flow) => (
              <li key={flow}>{flow}</li>
            ))}
          </ul>
          {answer.leftOut > answer.leftOutFlows.length ? (
            <p>{count(answer.leftOut - answer.leftOutFlows.length)} more</p>
          ) : null}
        </details>
      )}
      {answer.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {answer.policies.slice(0, 50).map((policy) => (
        <section key={`${policy.namespace}/${policy.name}`}>
          <h3>
            {policy.namespace === "" ? "" : `${policy.namespace}/`}
            {policy.name} <span>{count(policy.rules.length)}</span>
          </h3>
          {policy.rules.length === 0 ? <p>Nothing was seen: it is closed.</p> : null}
          <ul>
            {policy.rules.map((rule, at) => (
              <li key={`${rule.direction} ${at}`}>
                <span className="muted">{rule.direction}</span>
                <span>
                  {rule.flows.join("; ")}
                  {rule.more === 0 ? "" : `; ${count(rule.more)} more`}
                </span>
                <b>{count(rule.connections)}</b>
              </li>
            ))}
          </ul>
        </section>
      ))}
      <details className={styles.yaml}>
        <summary>YAML</summary>
        <pre tabIndex={0}>{answer.yaml.length > 40_000 ? `${answer.yaml.slice(0, 40_000)}…` : answer.yaml}</pre>
      </details>
    </>
  );
}

"use client";

import { Minus } from "lucide-react";
import { useCallback, useState } from "react";
import type { DropsFacetsAnswer, FacetValue } from "../../model/wire/answers/drops.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import type { MarkColor } from "../parts/colors.ts";
import { Swatch } from "../parts/Legend.tsx";
import { count } from "../parts/numbers.ts";
import styles from "./Facets.module.css";
import { excludeTerm, isChosen, toggleTerm } from "./filter-terms.ts";

interface Props {
  readonly facets: DropsFacetsAnswer;
  readonly colors: ReadonlyMap<string, MarkColor>;
  readonly selectedReason: string | undefined;
  /** Reasons in a line that wraps, the rest behind a fold. */
  readonly phone?: boolean;
  onReason(reason: string, term: string): void;
}

const SHOWN = 6;

/** What the drops can be narrowed down to; a click puts the value into the filter, another takes it out. */
export function Facets({ facets, colors, selectedReason, phone = false, onReason }: Props) {
  const { q, setFilter } = useUrlState();
  const toggle = (value: FacetValue): void => setFilter(toggleTerm(q, value.term));
  const others = (
    <>
      <Facet title="Source" values={facets.source} names onPick={toggle} />
      <Facet title="Destination" values={facets.destination} names onPick={toggle} />
      <Facet title="Port" values={facets.port} mono onPick={toggle} />
      <Facet title="Node" values={facets.node} onPick={toggle} />
    </>
  );
  return (
    <aside className={phone ? styles.phone : styles.facets} aria-label="Narrow down" tabIndex={phone ? undefined : 0}>
      <Facet
        title="Reason"
        values={facets.reason}
        mono
        colors={colors}
        selected={selectedReason}
        onPick={(value) => onReason(value.label, value.term)}
      />
      {phone ? (
        <details className={styles.fold}>
          <summary>Source, destination, port, node</summary>
          {others}
        </details>
      ) : (
        others
      )}
    </aside>
  );
}

interface FacetProps {
  readonly title: string;
  readonly values: readonly FacetValue[];
  readonly mono?: boolean;
  readonly names?: boolean;
  readonly colors?: ReadonlyMap<string, MarkColor>;
  readonly selected?: string | undefined;
  onPick(value: FacetValue): void;
}

function Facet({ title, values, mono = false, names = false, colors, selected, onPick }: FacetProps) {
  const { filter, q, setFilter } = useUrlState();
  const [all, setAll] = useState(false);
  if (values.length === 0) return null;
  const most = Math.max(...values.map((value) => value.drops));
  const shown = all || values.length <= SHOWN + 1 ? values : values.slice(0, SHOWN);
  const any = values.some((value) => isChosen(filter, value.term));
  return (
    <section className={styles.facet}>
      <h2>
        {title}
        <span>{shown.length < values.length ? `${shown.length} of ${values.length}` : values.length}</span>
      </h2>
      <ul>
        {shown.map((value) => {
          const chosen = isChosen(filter, value.term);
          return (
            <li key={value.term} data-selected={selected === value.label} data-faded={any && !chosen}>
              <button
                type="button"
                className={styles.value}
                aria-pressed={chosen}
                title={value.label}
                onClick={() => onPick(value)}
              >
                {colors === undefined ? null : <Swatch color={colors.get(value.label) ?? "c6"} />}
                <span className={styles.label}>
                  {mono ? <code>{value.label}</code> : names ? <Name label={value.label} /> : value.label}
                  <Share part={value.drops / Math.max(1, most)} color={colors?.get(value.label)} />
                </span>
                <span className={styles.count}>{count(value.drops)}</span>
              </button>
              <button
                type="button"
                className={styles.exclude}
                aria-label={`Exclude ${value.label}`}
                title={`Exclude ${value.label}`}
                onClick={() => setFilter(excludeTerm(q, value.term))}
              >
                <Minus size={12} aria-hidden="true" />
              </button>
            </li>
          );
        })}
      </ul>
      {values.length > SHOWN + 1 ? (
        <button type="button" className={styles.more} onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? "Show fewer" : `Show ${values.length - SHOWN} more`}
        </button>
      ) : null}
    </section>
  );
}

/** `storefront/web` with the namespace in grey. */
function Name({ label }: { readonly label: string }) {
  const slash = label.indexOf("/");
  return (
    <>
      {slash < 0 ? null : <span className={styles.namespace}>{label.slice(0, slash + 1)}</span>}
      {label.slice(slash + 1)}
    </>
  );
}

/** The line below a value: its share of the most frequent one. Its width is set by script, because the CSP takes no style attribute. */
function Share({ part, color }: { readonly part: number; readonly color: MarkColor | undefined }) {
  const place = useCallback(
    (line: HTMLElement | null) => line?.style.setProperty("width", `${Math.max(2, Math.round(part * 100))}%`),
    [part],
  );
  return <i ref={place} className={styles.share} data-color={color} aria-hidden="true" />;
}

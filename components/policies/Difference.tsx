"use client";

import dynamic from "next/dynamic";
import { count } from "../parts/numbers.ts";
import { LONG } from "./long-text.ts";
import page from "./Policies.module.css";

const DiffView = dynamic(() => import("./DiffView.tsx").then((module) => module.DiffView), { ssr: false });

/** Two texts line by line, or why not. */
export function Difference({ before, after }: { readonly before: string; readonly after: string }) {
  if (before.length <= LONG && after.length <= LONG) return <DiffView before={before} after={after} />;
  return (
    <p className={page.loading}>
      A text over {count(LONG)} characters is not laid beside another line by line. What both decide is judged all the
      same.
    </p>
  );
}

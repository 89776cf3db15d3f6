"use client";

import { usePathname } from "next/navigation";
import { useState, type ReactNode } from "react";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import { NothingYet } from "./NothingYet.tsx";
import { PageHead } from "./PageHead.tsx";
import { PAGES } from "./pages.ts";

/** Shows a page of rows only where there are rows; else which link from kernel to screen is broken, and the ways on. */
export function SystemGate({ children }: { readonly children: ReactNode }) {
  const path = usePathname();
  const status = useHowMuchWasSeen().data;
  const page = PAGES.find((entry) => path.startsWith(entry.path));
  const [hadRows, setHadRows] = useState(false);
  const isEmpty = status !== undefined && (status.store === null || status.store.newestRow === null);
  if (!hadRows && status !== undefined && !isEmpty) setHadRows(true);
  // A store that goes away under a page that shows something leaves it: its parts say what they could not read.
  if (hadRows || page === undefined || !page.needsRows || !isEmpty) return children;
  return (
    <>
      <PageHead title={page.title} totals="nothing to show yet" />
      <NothingYet status={status} />
    </>
  );
}

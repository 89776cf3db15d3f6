import { Activity, FileCheck2, Rows3, Share2, ArrowDownToLine, type LucideIcon } from "lucide-react";
import type { Route } from "next";

export interface PageEntry {
  readonly path: Route;
  readonly name: string;
  /** Over the page itself. */
  readonly title: string;
  /** Shows rows of the store, so it has nothing to show without them. */
  readonly needsRows: boolean;
  readonly icon: LucideIcon;
  /** The letter after `g`. */
  readonly key: string;
  /** Below the line in the rail. */
  readonly second: boolean;
  /** Three columns: the rail is narrow there by default. */
  readonly needsRoom?: true;
}

/** The pages that exist, in the rail's order. A page is added here when it works. */
export const PAGES: readonly PageEntry[] = [
  { path: "/map", name: "Map", title: "Service map", needsRows: true, icon: Share2, key: "m", second: false },
  { path: "/drops", name: "Drops", title: "Drops", needsRows: true, icon: ArrowDownToLine, key: "d", second: false },
  {
    path: "/policies",
    name: "Policies",
    title: "Policies",
    needsRows: false,
    icon: FileCheck2,
    key: "p",
    second: false,
    needsRoom: true,
  },
  { path: "/flows", name: "Flows", title: "Flows", needsRows: true, icon: Rows3, key: "f", second: false },
  { path: "/health", name: "Health", title: "Health", needsRows: false, icon: Activity, key: "h", second: true },
];

/** True for a page of three columns. */
export function needsRoom(path: string): boolean {
  return PAGES.some((page) => page.needsRoom === true && path.startsWith(page.path));
}

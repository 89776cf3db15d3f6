"use client";

import { useMemo, useState } from "react";
import { categoryColor, type MarkColor } from "../parts/colors.ts";

/**
 * A colour for each name, by its place when it was first seen: most frequent first at the start, later ones behind. While the
 * page is open a name keeps its colour, whatever filter and live data do to the ranking.
 */
export function useStableColors(names: readonly string[] | undefined): ReadonlyMap<string, MarkColor> {
  const [order, setOrder] = useState<readonly string[]>([]);
  const fresh = (names ?? []).filter((name) => !order.includes(name));
  if (fresh.length > 0) setOrder([...order, ...fresh]);
  return useMemo(() => new Map(order.map((name, index) => [name, categoryColor(index)])), [order]);
}

/** How much of a row a table has room for: two lines without namespaces, two lines, the most important columns, or all. */
export type TableSize = "phone" | "compact" | "medium" | "wide";

/** Two lines a row, as large as a finger. */
export function isCompact(size: TableSize): boolean {
  return size === "phone" || size === "compact";
}

/** By the width of the tables' own place in CSS pixels (0 = not measured yet). */
export function tableSize(width: number): TableSize {
  if (width > 0 && width < 480) return "phone";
  if (width > 0 && width < 640) return "compact";
  return width < 860 ? "medium" : "wide";
}

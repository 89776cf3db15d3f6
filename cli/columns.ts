/** Text in columns as wide as their widest cell; from column `numbersFrom` on, to the right. Cells are escaped already. */
export function columns(head: readonly string[], lines: readonly (readonly string[])[], numbersFrom: number): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i >= numbersFrom ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return `${[head, ...lines].map(row).join("\n")}\n`;
}

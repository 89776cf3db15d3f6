/** A rectangle in the units of whoever asks. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export function around(x: number, y: number, reach: number): Box {
  return { x0: x - reach, y0: y - reach, x1: x + reach, y1: y + reach };
}

/** The smallest that holds all of `boxes`; of none, one that nothing is in (from Infinity to -Infinity). */
export function boxAround(boxes: readonly Box[]): Box {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    x0 = Math.min(x0, box.x0);
    y0 = Math.min(y0, box.y0);
    x1 = Math.max(x1, box.x1);
    y1 = Math.max(y1, box.y1);
  }
  return { x0, y0, x1, y1 };
}

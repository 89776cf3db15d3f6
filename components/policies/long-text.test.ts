import { Text } from "@codemirror/state";
import { describe, expect, test } from "vitest";
import { linesOfText, Sliced, textOfLines } from "./long-text.ts";

const TEXTS: readonly (readonly [string, string])[] = [
  ["no text", ""],
  ["a short one", "a: 1\nb: 2"],
  ["many short lines", "# ten\n".repeat(60_000)],
  ["one line that is longer than a slice", "x".repeat(350_000)],
  ["Windows' line ends", "key: value\r\n".repeat(40_000)],
  ["old line ends", "key: value\r".repeat(40_000)],
  ["a line end where a slice ends", `${"y".repeat(99_999)}\r\n${"z".repeat(100_000)}\n`],
  ["lines of every length", Array.from({ length: 3000 }, (_, at) => "é".repeat((at * 7) % 300)).join("\n")],
];

describe("a long text in slices", () => {
  test.each(TEXTS)("%s: is the same lines as at once, and the same text again", (_, text) => {
    const lines = result(linesOfText(text));
    const atOnce = Text.of(text.split(/\r\n?|\n/));
    expect(lines.eq(atOnce)).toBe(true);
    expect(lines.lines).toBe(atOnce.lines);
    expect(result(textOfLines(lines))).toBe(atOnce.toString());
  });

  test("can be finished at once, and given up", async () => {
    const done: number[] = [];
    const text = "# ten\n".repeat(60_000);
    const first = new Sliced(linesOfText(text), (lines) => done.push(lines.lines));
    const given = new Sliced(linesOfText(text), () => done.push(0));
    first.finish();
    expect(done).toEqual([60_001]);
    given.giveUp();
    await new Promise<void>((resolve) => new Sliced(linesOfText(text), () => resolve()));
    expect(done).toEqual([60_001]);
  });
});

function result<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

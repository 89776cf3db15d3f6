import { expect, test } from "vitest";
import { sharedAnswer } from "./shared.ts";

test("one question asked by several at once is asked of the store once; other keys and failures are asked anew", async () => {
  let asked = 0;
  const ask = (key: string) =>
    sharedAnswer(key, async () => {
      asked++;
      await Promise.resolve();
      if (key === "failing" && asked < 4) throw new Error("the store was away");
      return `${key} ${asked}`;
    });
  const [one, same, other] = await Promise.all([ask("one"), ask("one"), ask("other")]);
  expect([one, same, other, asked]).toEqual(["one 2", "one 2", "other 2", 2]);
  expect(await ask("one")).toBe("one 2");
  await expect(ask("failing")).rejects.toThrow("the store was away");
  expect(await ask("failing")).toBe("failing 4");
});

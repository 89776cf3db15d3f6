/** The smaller form of `node tests/hostile.ts`: the same tables, fewer and smaller inputs. */
import { expect, test } from "vitest";
import { allInputs } from "./hostile/all.ts";
import { openHouse } from "./hostile/house.ts";
import { throwAll } from "./hostile/table.ts";

test(
  "store, app and live stream handle every hostile input and answer the next honest question",
  { timeout: 240_000 },
  async () => {
    await using house = await openHouse();
    const outcomes = await throwAll(house, allInputs("small"), "small", () => undefined);
    const troubles = outcomes.filter(({ trouble }) => trouble !== undefined);
    expect(troubles.map(({ input, trouble }) => `${input.name}: ${trouble}; expected ${input.expected}`)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(100);
  },
);

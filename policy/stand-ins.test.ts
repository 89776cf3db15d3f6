import { expect, test } from "vitest";
import { standInNote } from "./stand-ins.ts";

test("a block that only stands for a name is pointed out, once each; real blocks are not", () => {
  const yaml =
    "- ipBlock:\n    cidr: 240.0.0.1/32\n- ipBlock:\n    cidr: 240.0.0.1/32\n- ipBlock:\n    cidr: 10.240.0.1/32\n";
  expect(standInNote(yaml)).toMatch(/^240\.0\.0\.1\/32 stands for an outside name/);
  expect(standInNote("cidr: 10.240.0.1/32, 93.184.216.9/32")).toBeUndefined();
});

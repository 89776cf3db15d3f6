import { expect, test } from "vitest";
import { WIRE_VERSION, wireProblem } from "./version.ts";

test("this version and the one before are read, also from builds that say none", () => {
  expect(wireProblem(undefined)).toBeUndefined();
  expect(wireProblem(String(WIRE_VERSION))).toBeUndefined();
  expect(wireProblem(String(WIRE_VERSION - 1))).toBeUndefined();
});

test("any other is a sentence that says which side to update", () => {
  expect(wireProblem(String(WIRE_VERSION + 1))).toMatch(/speaks version 2 .* knows 1: update the app$/);
  expect(wireProblem(String(WIRE_VERSION - 2))).toMatch(/update the collector$/);
  expect(wireProblem("x")).toMatch(/speaks version x .*update the collector$/);
});

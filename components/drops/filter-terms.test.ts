import { describe, expect, test } from "vitest";
import { parseFilter } from "../../model/filter/parse.ts";
import { excludeTerm, isChosen, toggleTerm } from "./filter-terms.ts";

const chosen = (q: string, term: string): boolean => isChosen(parseFilter(q).filter, term);

describe("a facet's value in the filter", () => {
  test("is added, and a second click takes it away again", () => {
    const on = toggleTerm("verdict:dropped", "reason:NO_SOCKET");
    expect(on).toBe("verdict:dropped reason:NO_SOCKET");
    expect(chosen(on, "reason:NO_SOCKET")).toBe(true);
    expect(toggleTerm(on, "reason:NO_SOCKET")).toBe("verdict:dropped");
  });

  test("stands beside a chosen one as an alternative, and goes without it", () => {
    const both = toggleTerm("reason:NO_SOCKET port:53", "reason:QDISC_DROP");
    expect(both).toBe("reason:NO_SOCKET,QDISC_DROP port:53");
    expect(toggleTerm(both, "reason:NO_SOCKET")).toBe("reason:QDISC_DROP port:53");
  });

  test("with commas, quotes and spaces is one value", () => {
    const term = String.raw`src:"a, \"b\" c"`;
    const on = toggleTerm("src:web", term);
    expect(chosen(on, term)).toBe(true);
    expect(chosen(on, "src:web")).toBe(true);
    expect(toggleTerm(on, term)).toBe("src:web");
  });

  test("can be excluded, whether it was asked for or not", () => {
    expect(excludeTerm("", "reason:TCP_OLD_DATA")).toBe("-reason:TCP_OLD_DATA");
    expect(excludeTerm("reason:TCP_OLD_DATA ns:shop", "reason:TCP_OLD_DATA")).toBe("ns:shop -reason:TCP_OLD_DATA");
    expect(chosen("-reason:TCP_OLD_DATA", "reason:TCP_OLD_DATA")).toBe(false);
  });
});

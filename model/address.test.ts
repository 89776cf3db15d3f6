import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidrContains, formatAddress, formatCidr, parseAddress, parseCidr } from "./address.ts";

describe("addresses", () => {
  it("reads exactly what the platform calls an address (zones apart)", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,20}$/)), (text) => {
        expect(parseAddress(text) !== undefined).toBe(isIPv4(text) || isIPv6(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("writes what it reads", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::", "::"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["fd00::10.0.0.1", "fd00::a00:1"],
  ])("writes %s as RFC 5952 wants: %s", (text, short) => {
    expect(formatAddress(parseAddress(text)!)).toBe(short);
  });

  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["0.0.0.0/0", "fd00::1", false],
    ["::/0", "10.0.0.1", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["fd00::/9", "fd7f::1", true],
    ["fd00::/9", "fd80::1", false],
  ])("%s holds %s: %s", (block, address, held) => {
    expect(cidrContains(parseCidr(block)!, parseAddress(address)!)).toBe(held);
  });

  it("clears host bits", () => {
    expect(formatCidr(parseCidr("10.1.2.3/8")!)).toBe("10.0.0.0/8");
    expect(formatCidr(parseCidr("fd00::1/64")!)).toBe("fd00::/64");
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "fd00::/129", "10.0.0/8", "/8", "10.0.0.1/08"])(
    "refuses the block %s",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );
});

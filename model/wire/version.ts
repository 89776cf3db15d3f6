/**
 * The version of what collector and app say to each other (`/health`, the live stream). A field that is added keeps it, with a default for
 * its reader; a change that an older reader would misread raises it. Each side reads its own version and the one before
 * (docs/guarantees.md, Upgrades).
 */
export const WIRE_VERSION = 1;

/** Response header in which the collector says its version. Builds from before it send none: they are of version 1. */
export const WIRE_HEADER = "weir-wire";

/** Why this build can't read a collector that says `header`; undefined = it can. One sentence without a full stop. */
export function wireProblem(header: string | string[] | undefined): string | undefined {
  const said = Number(header ?? 1);
  if (said === WIRE_VERSION || said === WIRE_VERSION - 1) return undefined;
  return said > WIRE_VERSION
    ? `the collector speaks version ${said} of Weir's messages, this app knows ${WIRE_VERSION}: update the app`
    : `the collector speaks version ${String(header)} of Weir's messages, this app reads ${WIRE_VERSION - 1} and ${WIRE_VERSION}: update the collector`;
}

import { WeirError } from "../../model/errors.ts";

/** `text` as one of `known`; undefined stays undefined. Throws WeirError that names the option and what it takes. */
export function choice<T extends string>(text: string | undefined, option: string, known: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new WeirError({
    code: "bad-option",
    where: option,
    what: `“${text}” is not taken`,
    expected: known.join(", "),
  });
}

/** A comma list of `known`. */
export function choices<T extends string>(text: string | undefined, option: string, known: readonly T[]): readonly T[] {
  if (text === undefined || text === "") return [];
  return text.split(",").map((one) => choice(one.trim(), option, known)!);
}

/** A whole number of an option. */
export function number(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new WeirError({
    code: "bad-option",
    where: option,
    what: `“${text}” is not taken`,
    expected: `a whole number from ${least} to ${most}`,
  });
}

/** Writes lines to standard output. */
export const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);
/** Writes lines to standard error. */
export const warnLine = (line: string): void => void process.stderr.write(`${line}\n`);

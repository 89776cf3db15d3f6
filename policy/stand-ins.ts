/**
 * Hours that were recorded before migration 11 keep of an outside name only the name. Where nobody looked it up either, an address of
 * 240.0.0.0/4, where nobody is, stands for it: names are told apart, and no block but the whole world matches.
 */
export function standIn(number: number): string {
  return `240.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

export function isStandIn(address: string): boolean {
  return address.startsWith("240.");
}

/** What to say of a generated text in which a stand-in became a block; undefined when none did. */
export function standInNote(yaml: string): string | undefined {
  const blocks = new Set(yaml.match(/(?<![\d.])240(?:\.\d{1,3}){3}\/\d+/g) ?? []);
  if (blocks.size === 0) return undefined;
  return `${[...blocks].join(", ")} stands for an outside name whose address was not recorded: put its real block there, or choose a kind that knows names.`;
}

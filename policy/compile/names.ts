/** A name in the form that comparisons use: lower case, no trailing dot. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** network-policy-api's reading: exact, or `*.example.com` = any number of labels before `.example.com`, at least one. */
export function nameMatches(pattern: string, name: string): boolean {
  const wanted = canonicalName(pattern);
  const given = canonicalName(name);
  if (!wanted.startsWith("*.")) return wanted === given;
  return given.endsWith(wanted.slice(1)) && given.length > wanted.length - 1;
}

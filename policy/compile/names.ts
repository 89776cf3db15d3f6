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

/**
 * Cilium's matchPattern: `*` stands for letters of one label (never a dot), a lone `*` for every name, a leading `**.` for one
 * or more whole labels. Takes time proportional to pattern × name: a pattern of stars cannot run away. (pkg/fqdn/matchpattern.)
 */
export function patternMatches(pattern: string, name: string): boolean {
  const given = canonicalName(name);
  const lower = pattern.trim().toLowerCase();
  if (/^\*+\.?$/.test(lower)) return true;
  const wanted = canonicalName(lower);
  const deep = /^\*{2,}\./.exec(wanted);
  if (deep === null) return globMatches(wanted, given);
  const rest = wanted.slice(deep[0].length);
  for (let dot = given.indexOf("."); dot >= 0; dot = given.indexOf(".", dot + 1))
    if (dot > 0 && globMatches(rest, given.slice(dot + 1))) return true;
  return false;
}

/** `*` stands for any letters but a dot, none included. */
function globMatches(pattern: string, text: string): boolean {
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (let p = 0; p < pattern.length; p++) {
    const next = new Uint8Array(text.length + 1);
    if (pattern[p] === "*") {
      for (let i = 0; i <= text.length; i++) next[i] = reached[i]! | (i > 0 && text[i - 1] !== "." ? next[i - 1]! : 0);
    } else for (let i = 1; i <= text.length; i++) if (reached[i - 1] === 1 && text[i - 1] === pattern[p]) next[i] = 1;
    reached = next;
  }
  return reached[text.length] === 1;
}

/** What a failed attempt means, in a few words; the symbol itself for those that have none here. */
export function failureWords(reason: string): string {
  return WORDS[reason] ?? reason;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset by the other side",
  ETIMEDOUT: "timed out, no answer to SYN",
  EHOSTUNREACH: "no route or neighbour",
  ENETUNREACH: "no route to the network",
  EACCES: "refused by this host",
  EPERM: "refused by this host",
  EADDRNOTAVAIL: "no free local port",
  GAVE_UP: "given up by the program",
};

import { expect, test } from "vitest";
import type { Judged, PolicyText, Refused } from "./answers.ts";
import { coverage } from "./ask-traffic.ts";
import { Judge } from "./judge.ts";
import { answer } from "./judge.test-support.ts";
import { withoutRepeated, withRepeated } from "./judged-again.ts";
import { trafficOf } from "./traffic.ts";

const NAMES = ["web", "cart", "payments", "ledger"] as const;
const SEED = Number(process.env["WEIR_SEED"] ?? Math.floor(Math.random() * 1e9));

/** Numbers from 0 to below 1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test(`an answer after any edits is that of a judge who never saw the texts before (seed ${SEED})`, () => {
  const next = numbers(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const flows = NAMES.flatMap((from) =>
    NAMES.filter((to) => to !== from).map(
      (to) => `${from} ${to} ${pick([80, 8443, 9090])} ${1 + Math.floor(next() * 99)}`,
    ),
  );
  const traffic = trafficOf(answer(...flows, "payments api 443 7"));
  const kept = new Judge(traffic);
  let sent: Judged | undefined;
  const policy = (n: number): string =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p${n}, namespace: ${pick(["shop", "pay"])}}\nspec:\n  podSelector: {matchLabels: {app: ${pick(NAMES)}}}\n  policyTypes: [${pick(["Ingress", "Egress", "Ingress, Egress"])}]\n  ingress:\n    - from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: ${pick(NAMES)}}}}]\n      ports: [{protocol: TCP, port: ${pick([80, 8443])}}]\n    - from: [{namespaceSelector: {}}]\n      ports: [{port: ${pick([9090, 1])}}]\n  egress:\n    - to: [{ipBlock: {cidr: ${pick(["0.0.0.0/0", "10.0.0.0/8"])}}}]\n`;
  const edits: ((text: string, n: number) => string)[] = [
    (text) => `# ${next()}\n${text}`,
    (text) => `${text}\n\n`,
    (text) => text.replace(/port: \d+/, `port: ${pick([80, 8443, 9090])}`),
    (text) => text.replace(/app: \w+/, `app: ${pick(NAMES)}`),
    (text) => `${text}  egress: {\n`, // half typed
    (_, n) => policy(n),
    (text, n) => `${text}---\n${policy(n + 10)}`,
    () => "",
  ];
  let files: PolicyText[] = [0, 1, 2].map((n) => ({ name: `${n}.yaml`, text: policy(n), inForce: undefined }));
  let answered = 0;
  // Half-typed texts stay refused for a while: steps are made until there were answers enough.
  for (let step = 0; answered < 40; step++) {
    expect(step, "a step that is answered").toBeLessThan(3000);
    files = files.map((file, n) => {
      if (next() < 0.6) return file;
      if (next() < 0.2) return { ...file, inForce: pick([undefined, file.text, policy(n)]) };
      return { ...file, text: pick(edits)(file.text.length > 4000 ? policy(n) : file.text, n) };
    });
    const again = kept.judge(files, undefined);
    const fresh = new Judge(traffic);
    const anew = fresh.judge(files, undefined);
    expect(timeless(again), `step ${step}`).toEqual(timeless(anew));
    if (!("counts" in again)) continue;
    answered++;
    expect(kept.uses(), `uses of step ${step}`).toEqual(fresh.uses());
    expect(coverage(kept), `coverage of step ${step}`).toEqual(coverage(fresh));
    expect(kept.explain(0)).toEqual(fresh.explain(0));
    // What crosses to the page leaves out what is as before; put together again it is whole.
    const shown = withRepeated(structuredClone(withoutRepeated(again, sent)), sent);
    expect(timeless(shown)).toEqual(timeless(anew));
    sent = again;
  }
});

function timeless(answered: Judged | Refused): unknown {
  return { ...answered, ms: 0 };
}

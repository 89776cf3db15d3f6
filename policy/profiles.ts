import { compileCalico } from "./calico/compile.ts";
import { compileKubernetes, kubernetesSemantics } from "./compile/kubernetes.ts";
import type { CompilePolicies, CompiledPolicySet } from "./engine.ts";
import { TieredPolicySet } from "./evaluate/tiered.ts";
import type { PolicyDocument } from "./parse/documents.ts";
import type { Profile } from "./world.ts";
import type { WorldIndex } from "./world-index.ts";

const compileForKubernetes: CompilePolicies = (documents, world) =>
  new TieredPolicySet(compileKubernetes(documents, world), kubernetesSemantics(world), world);

/** Who compiles for each profile. */
const COMPILERS: { readonly [P in Profile]?: CompilePolicies } = {
  kubernetes: compileForKubernetes,
  calico: compileCalico,
};

/** Policies made ready against a world, in the reading of one profile. */
export function compilePolicies(
  documents: readonly PolicyDocument[],
  world: WorldIndex,
  profile: Profile,
): CompiledPolicySet {
  const compile = COMPILERS[profile];
  if (compile === undefined) throw new Error(`no engine for profile ${profile}`);
  return compile(documents, world);
}

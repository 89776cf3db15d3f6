import { compileCalico } from "./calico/compile.ts";
import { ciliumSemantics, compileCilium } from "./compile/cilium.ts";
import { CiliumSpace } from "./compile/cilium-space.ts";
import { compileKubernetes, kubernetesSemantics } from "./compile/kubernetes.ts";
import type { CompilePolicies, CompiledPolicySet } from "./engine.ts";
import { TieredPolicySet } from "./evaluate/tiered.ts";
import type { PolicyDocument } from "./parse/documents.ts";
import type { Profile } from "./world.ts";
import type { WorldIndex } from "./world-index.ts";

const compileForKubernetes: CompilePolicies = (documents, world) =>
  new TieredPolicySet(compileKubernetes(documents, world), kubernetesSemantics(world), world);

const compileForCilium: CompilePolicies = (documents, world) => {
  const space = CiliumSpace.of(world);
  return new TieredPolicySet(compileCilium(documents, world, space), ciliumSemantics(world, space), world);
};

/** Who compiles for each profile. */
const COMPILERS: { readonly [P in Profile]: CompilePolicies } = {
  kubernetes: compileForKubernetes,
  cilium: compileForCilium,
  calico: compileCalico,
};

/** Policies made ready against a world, in the reading of one profile. */
export function compilePolicies(
  documents: readonly PolicyDocument[],
  world: WorldIndex,
  profile: Profile,
): CompiledPolicySet {
  return COMPILERS[profile](documents, world);
}

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Keeps the structs of the ABI in the object's BTF, though programs have them only on their stacks:
 * layout.gen.ts is made from there. */
#include "kernel.bpf.h"

const struct ev_conn *abi_conn __attribute__((unused));
const struct ev_drop *abi_drop __attribute__((unused));
const struct ev_dns *abi_dns __attribute__((unused));
const struct ev_conversation *abi_conversation __attribute__((unused));
const struct ev_nat *abi_nat __attribute__((unused));

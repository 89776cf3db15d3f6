/** Types in the books that are no event types: how something was lost. The collector writes them, the store's questions tell them apart. */

/** Behind an event type's name: lost with a killed collector, not in a ring. */
export const CRASH_MARK = " (crash)";
/** Packets that passed while the kernel ran no program of ours (collector/kernel/init-witness.ts): lost, whatever became of them. */
export const UNSEEN = "unseen";

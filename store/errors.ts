import { WeirError } from "../model/errors.ts";

/** A failure of the store that a user can do something about: not reachable, refused, too new, too slow. */
export class StoreError extends WeirError {}

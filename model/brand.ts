declare const brand: unique symbol;

/** A `Base` that must not be mixed up with another: made by one checking constructor each. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Nominal typing: a `Brand<string, 'X'>` is a string that only code which checked it may call an X. */
declare const brand: unique symbol;
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

// Views leave out what is not said, as JSON does.

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** The view without the members that are undefined. */
export function present<T extends object>(view: Loose<T>): T {
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined)) as T;
}

/** Undefined for an empty list. */
export const some = <T>(list: readonly T[]): T[] | undefined => (list.length > 0 ? [...list] : undefined);

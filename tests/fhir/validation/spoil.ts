// Changing one place of a resource for a test.

/** A copy of `resource` with the value at a path like `activity.0.reference` set, or removed when `value` is undefined. */
export function spoil(resource: object, path: string, value: unknown): object {
  const copy = structuredClone(resource);
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = copy as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

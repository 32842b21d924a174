// Equality as JSON Patch's `test` has it: numbers by value, objects whatever the order of their members.
// https://www.rfc-editor.org/rfc/rfc6902#section-4.6

export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && sameValue(member(left, key), member(right, key)));
}

const member = (value: object, key: string) => (value as Record<string, unknown>)[key];

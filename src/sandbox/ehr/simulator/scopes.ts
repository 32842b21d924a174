// SMART scopes of backend clients in both generations: `system/Task.read` and `system/Task.rs`.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import type { VendorRules } from '../vendors/vendor-rules.ts';

const FIRST = /^system\/(\*|[A-Z][A-Za-z]+)\.(read|write|\*)$/;
const SECOND = /^system\/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)$/;

export const scopeCheck =
  ({ tokens }: VendorRules) =>
  (scope: string): boolean =>
    FIRST.test(scope) || (tokens.scopes === 'both' && SECOND.test(scope) && !scope.endsWith('.'));

const WRITES = new Set(['create', 'update', 'patch', 'delete']);
const LETTERS: Readonly<Record<string, string>> = {
  create: 'c',
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  update: 'u',
  patch: 'u',
  delete: 'd',
  search: 's',
  'history-type': 's',
};

/** Whether one of the scopes lets its client do this to the type. */
export function permits(scopes: readonly string[], type: string, ability: string): boolean {
  return scopes.some((scope) => {
    const [, first, verb = ''] = FIRST.exec(scope) ?? [];
    if (first) return covers(first, type) && (verb === '*' || (verb === 'write') === WRITES.has(ability));
    const [, second, letters = ''] = SECOND.exec(scope) ?? [];
    return second !== undefined && covers(second, type) && letters.includes(LETTERS[ability] ?? '-');
  });
}

const covers = (granted: string, type: string) => granted === '*' || granted === type;

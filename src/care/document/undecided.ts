// Differences that only a person can settle: told all at once, and nothing is written until they are.
import { Fault } from '../../fault.ts';
import type { MergeConflict } from '../../fhir/merge3.ts';
import type { Difference } from './document-schema.ts';

export class Undecided extends Fault {
  readonly differences: readonly Difference[];

  constructor(differences: readonly Difference[]) {
    const sentence =
      'Both sides changed the same elements and no policy says who is right. Send the document again with a decision ' +
      'for each item of differences; nothing has been written.';
    super('conflict', sentence, {
      issues: differences.map(({ resource, element }) => ({
        severity: 'error',
        code: 'conflict',
        details: { text: `${resource} was changed on both sides.` },
        expression: [`${resource.split('/')[0]}.${element}`],
      })),
    });
    this.differences = differences;
  }
}

/** Conflicts of one resource by the element they are about. */
export function differencesOf(resource: string, conflicts: readonly MergeConflict[]): Difference[] {
  const byElement = Map.groupBy(conflicts, ({ path }) => withoutKeys(path));
  return [...byElement].map(([element, of]) => ({
    item: itemName(resource, element),
    resource,
    element,
    places: of.map(({ path, base, ours, theirs }) => ({ path, base, ours, theirs })),
    // A step that nobody may take cannot be chosen either.
    take: of.every(({ why }) => why === undefined) ? ['ours', 'theirs'] : ['ours'],
  }));
}

export const itemName = (resource: string, element: string) => `${resource}#${element}`;

/** `activity[Task/1].detail.status` is `activity.detail.status`; `value[x]` stays. */
export function withoutKeys(path: string): string {
  let out = '';
  let depth = 0;
  let isQuoted = false;
  for (const [index, character] of [...path].entries()) {
    if (depth === 0 && path.startsWith('[x]', index)) out += character;
    else if (depth > 0 && character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '[') depth += out.endsWith('[') ? 0 : 1;
    else if (character === ']' && depth > 0) depth -= 1;
    else if (depth === 0) out += character;
  }
  return out;
}

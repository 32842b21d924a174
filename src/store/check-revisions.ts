// Asks the rule of revisions about every stored resource that a commit changes.
import type { Resource } from '@medplum/fhirtypes';
import { contentBefore } from './content-before.ts';
import { holds } from './enforce-guard.ts';
import type { Group, Unit } from './group.ts';
import { RevisionRefused } from './revision.ts';
import type { Step } from './step.ts';

/** What a membership or a team may have; more than this is nobody's. */
const MOST_FOUND = 1_000;

/** The first refusal among the changes of a commit; asked before anything is written. */
export async function refusedRevision(
  group: Group,
  steps: readonly Step[],
  unit: Unit,
): Promise<RevisionRefused | undefined> {
  const rule = group.rules.revisions;
  if (!rule || unit.isDecided) return undefined;
  const revised = steps.filter(({ type, writes, resource, current }) => {
    return writes && resource && current && !current.deleted && rule.types.has(type);
  });
  // All are read at once: over a network that is one wait.
  const contents = await Promise.all(revised.map((step) => contentBefore(group, step)));
  for (const [at, step] of revised.entries()) {
    const [before, after] = [contents[at], step.resource];
    if (before === undefined || !after) continue;
    try {
      await rule.check({
        ...{ before: JSON.parse(before) as Resource, after, actor: unit.actor },
        beside: steps.flatMap(({ resource }) => (resource && resource !== after ? [resource] : [])),
        find: (query) => find(group, query),
      });
    } catch (error) {
      if (!(error instanceof RevisionRefused)) throw error;
      if (await mayTell(group, unit, step)) return error;
      const sentence = `The new version cannot follow the stored one; only who may read the ${step.type} learns why.`;
      return new RevisionRefused(sentence, { expression: step.type });
    }
  }
  return undefined;
}

async function find(group: Group, query: string): Promise<Resource[]> {
  const { searchEngine } = group.rules;
  const parsed = { ...searchEngine.parse(query), count: MOST_FOUND, total: 'none', includes: [] } as const;
  const { items } = await searchEngine.run(group.tx, parsed);
  return items.map(({ content }) => JSON.parse(content) as Resource);
}

/** Whether the writer may learn what is stored. */
async function mayTell(group: Group, { mayKnow, guard }: Unit, { type, id }: Step): Promise<boolean> {
  if (mayKnow?.(type) ?? true) return true;
  if (!guard) return false;
  const readable = guard.telling(type);
  return readable === undefined || holds(group, type, id, readable);
}

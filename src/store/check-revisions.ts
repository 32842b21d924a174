// Asks the rule of revisions about every resource that a commit makes or changes.
import type { Resource } from '@medplum/fhirtypes';
import { parseExact } from '../fhir/exact-json.ts';
import { parseLiteral } from '../fhir/references.ts';
import { lastContent } from './content-before.ts';
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
  if (!rule) return undefined;
  const revised = steps.filter(({ type, writes, resource }) => writes && resource && rule.types.has(type));
  // All are read at once: over a network that is one wait.
  const befores = await Promise.all(revised.map((step) => step.before ?? readBefore(group, step)));
  const removed = new Set(steps.flatMap(({ op, type, id }) => (op === 'delete' ? `${type}/${id}` : [])));
  for (const [at, step] of revised.entries()) {
    const [before, after] = [befores[at], step.resource];
    if (!after) continue;
    if (step.current?.deleted === false) step.before = before;
    try {
      await rule.check({
        before,
        after: after.id === undefined ? { ...after, id: step.id } : after,
        isReborn: step.current?.deleted === true,
        actor: unit.actor,
        beside: steps.flatMap(({ resource }) => (resource && resource !== after ? [resource] : [])),
        written: (type, id) => steps.find((one) => one.type === type && one.id === id && one.op !== 'delete')?.resource,
        removed,
        isDecided: unit.isDecided === true,
        find: (query) => find(group, query),
      });
    } catch (error) {
      if (!(error instanceof RevisionRefused)) throw error;
      const told = error.tellsOf === undefined ? undefined : parseLiteral(error.tellsOf);
      if (await mayTell(group, unit, told ?? step)) return error;
      const sentence = `It cannot follow what is stored, or stand beside it; only who may read the ${step.type} learns why.`;
      return new RevisionRefused(sentence, { expression: step.type });
    }
  }
  return undefined;
}

async function readBefore(group: Group, step: Step): Promise<Resource | undefined> {
  const content = await lastContent(group, step);
  return content === undefined ? undefined : parseExact<Resource>(content);
}

async function find(group: Group, query: string): Promise<Resource[]> {
  const { searchEngine } = group.rules;
  const parsed = { ...searchEngine.parse(query), count: MOST_FOUND, total: 'none', includes: [] } as const;
  const { items } = await searchEngine.run(group.tx, parsed);
  return items.map(({ content }) => JSON.parse(content) as Resource);
}

/** Whether the writer may learn what is stored. */
async function mayTell(
  group: Group,
  { mayKnow, guard }: Unit,
  { type, id }: Pick<Step, 'type' | 'id'>,
): Promise<boolean> {
  if (mayKnow?.(type) ?? true) return true;
  if (!guard) return false;
  const readable = guard.telling(type);
  return readable === undefined || holds(group, type, id, readable);
}

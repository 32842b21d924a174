// Whether the patient and others agree to a goal. http://hl7.org/fhir/StructureDefinition/goal-acceptance
import type { Extension, Goal, Reference } from '@medplum/fhirtypes';
import { workableCase } from '../case-at-hand.ts';
import { knownResource, PEOPLE } from '../known-resource.ts';
import { linkedOf } from '../linked.ts';
import { withNote } from '../note.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { codeOrWords, priorityOf } from './goal-codes.ts';
import type { AcceptanceInput, GoalView } from './goal-schema.ts';

const ACCEPTANCE = 'http://hl7.org/fhir/StructureDefinition/goal-acceptance';

/** @throws Fault not-found; unprocessable naming the member */
export async function acceptGoal(
  records: Records,
  caller: Caller,
  { caseId, id, body }: { readonly caseId: string; readonly id: string; readonly body: AcceptanceInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const goal = await itemOfCase(records, about, 'Goal', id);
  if (body.by) await knownResource(records, about, body.by.reference, PEOPLE, 'by');
  const resource = withAcceptance(goal, body.by ?? about.subject, body, caller);
  return { changes: [{ op: 'update', resource, ifMatch: goal.meta.versionId }], about: 0 };
}

/** The goal with the answer of one; what others answered, and what else the answer says, stays. */
export function withAcceptance(
  goal: Goal,
  by: Reference,
  { answer, priority, note }: AcceptanceInput,
  caller: Caller,
): Goal {
  const parts: Extension[] = [
    { url: 'individual', valueReference: by },
    { url: 'status', valueCode: answer },
    ...(priority ? [{ url: 'priority', valueCodeableConcept: priorityOf(priority) }] : []),
  ];
  const extensions = goal.extension ?? [];
  const at = extensions.findIndex((one) => isBy(one, by.reference));
  const before = extensions[at];
  const replaced = new Set(parts.map(({ url }) => url));
  const kept = (before?.extension ?? []).filter(({ url }) => !replaced.has(url ?? ''));
  const next: Extension = { ...before, url: ACCEPTANCE, extension: [...parts, ...kept] };
  const extension = before ? extensions.with(at, next) : [...extensions, next];
  return { ...goal, extension, ...withNote(goal.note, caller, note) };
}

export function acceptancesOf({ extension = [] }: Goal): GoalView['acceptance'] {
  return extension
    .filter(({ url }) => url === ACCEPTANCE)
    .map((one) => {
      const by = linkedOf(partOf(one, 'individual')?.valueReference);
      const answer = partOf(one, 'status')?.valueCode;
      const priority = codeOrWords(partOf(one, 'priority')?.valueCodeableConcept)?.replace('-priority', '');
      return { ...(by ? { by } : {}), ...(answer ? { answer } : {}), ...(priority ? { priority } : {}) };
    });
}

const partOf = ({ extension }: Extension, name: string) => extension?.find(({ url }) => url === name);

function isBy(extension: Extension, reference: string | undefined): boolean {
  return extension.url === ACCEPTANCE && partOf(extension, 'individual')?.valueReference?.reference === reference;
}

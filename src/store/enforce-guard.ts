// Keeps a commit within what its writer may see, touch and make. Asked inside the transaction, so that nothing can come
// between the question and the write. What is hidden from the writer is to the commit as if it did not exist.
import { Fault } from '../fault.ts';
import { collectPlaced, collectReferences, isConditional, locateReference } from '../fhir/references.ts';
import { existenceQuery, withId } from '../fhir/search/existence.ts';
import type { Condition } from '../fhir/search/query.ts';
import { contentBefore } from './content-before.ts';
import type { Group } from './group.ts';
import type { Guard } from './guard.ts';
import type { Step } from './step.ts';

type Op = Step['op'];

/** Whether the resource is there, as the open transaction sees it, and fulfils the condition. */
export async function holds(group: Group, type: string, id: string, condition: Condition): Promise<boolean> {
  const query = existenceQuery(type, [withId(id), condition]);
  const { items } = await group.rules.searchEngine.run(group.tx, query);
  return items.length > 0;
}

/** True when the writer must not learn that the resource exists; also true when it does not. */
export async function isHidden(group: Group, guard: Guard | undefined, op: Op, type: string, id: string) {
  const condition = guard?.before(op, type);
  return condition !== undefined && !(await holds(group, type, id, condition));
}

/** @throws Fault forbidden for a reference to a patient that the writer does not reach and that was not there before */
export async function refuseStrangers(group: Group, steps: readonly Step[], guard: Guard): Promise<void> {
  const made = patientsMade(steps);
  for (const step of steps) {
    const condition = step.writes && step.resource ? guard.patients(step.op, step.type) : undefined;
    if (!condition || !step.resource) continue;
    const before = await placesBefore(group, step, guard);
    const known = new Set(made);
    for (const { place, reference } of collectPlaced(step.resource)) {
      const isSearched = isConditional(reference) && reference.startsWith('Patient?');
      if (isSearched) throw stranger(step, reference);
      const id = guard.patientIn(reference);
      if (id === undefined || known.has(id) || before.has(`${place} ${id}`)) continue;
      if (!(await holds(group, 'Patient', id, condition))) throw stranger(step, reference);
      known.add(id);
    }
  }
}

/** Ids of patients whom the commit brings into being. What it deletes may be there all the same, hidden from the writer. */
function patientsMade(steps: readonly Step[]): ReadonlySet<string> {
  const made = steps.filter(
    ({ type, op, writes, current }) => type === 'Patient' && op !== 'delete' && writes && !current,
  );
  return new Set(made.map(({ id }) => id));
}

/** A patient whose record is not open to the writer, and who is named by what is to be written. */
interface Closed {
  readonly step: Step;
  readonly id: string;
  readonly condition: Condition;
}

/** Those whom the steps could open to their writer by what they say. To be asked before anything is written. */
export async function closedTo(group: Group, steps: readonly Step[], guard: Guard): Promise<Closed[]> {
  const made = patientsMade(steps);
  const closed: Closed[] = [];
  for (const step of steps) {
    const conditions = step.writes && step.resource ? guard.open(step.type) : [];
    if (conditions.length === 0 || !step.resource) continue;
    if (await isTaken(group, step, guard)) continue;
    const named = collectReferences(step.resource).flatMap((reference) => guard.patientIn(reference) ?? []);
    for (const id of new Set(step.type === 'Patient' ? [step.id, ...named] : named)) {
      if (made.has(id)) continue;
      for (const condition of conditions) {
        if (!(await holds(group, 'Patient', id, condition))) closed.push({ step, id, condition });
      }
    }
  }
  return closed;
}

/** Whether the step gives an owner to what has none and is offered to the writer: an open referral that is claimed. */
async function isTaken(group: Group, step: Step, guard: Guard): Promise<boolean> {
  const offered = step.current && guard.offered(step.type);
  if (!offered || !ownerOf(step.resource)) return false;
  const before = await contentBefore(group, step);
  if (before === undefined || ownerOf(JSON.parse(before))) return false;
  return holds(group, step.type, step.id, offered);
}

const ownerOf = (resource: unknown) => (resource as { readonly owner?: unknown } | undefined)?.owner;

/** @throws Fault forbidden when a record that was closed has been opened by what was written */
export async function refuseOpening(group: Group, closed: readonly Closed[]): Promise<void> {
  for (const { step, id, condition } of closed) {
    if (!(await holds(group, 'Patient', id, condition))) continue;
    const sentence = `The ${step.type} would open a record to the one who writes it.`;
    throw new Fault('forbidden', sentence, { expression: step.type });
  }
}

/** Where it named which patients before: who was the performer is not thereby the subject. */
async function placesBefore(group: Group, step: Step, guard: Guard): Promise<ReadonlySet<string>> {
  const content = await contentBefore(group, step);
  const placed = content === undefined ? [] : collectPlaced(JSON.parse(content));
  return new Set(placed.map(({ place, reference }) => `${place} ${guard.patientIn(reference) ?? ''}`));
}

function stranger({ resource, type }: Step, reference: string): Fault {
  const expression = resource ? locateReference(resource, reference) : type;
  const sentence = `The reference at ${expression} leads to a patient that the token does not reach.`;
  return new Fault('forbidden', sentence, { expression });
}

/** @throws Fault forbidden when something that was written is outside what the writer reaches */
export async function refuseOutside(group: Group, steps: readonly Step[], guard: Guard): Promise<void> {
  for (const { op, type, id, writes, current } of steps) {
    const condition = writes && op !== 'delete' ? guard.after(op, type, !current) : undefined;
    if (!condition || (await holds(group, type, id, condition))) continue;
    throw new Fault('forbidden', `The ${type} would be outside what the token reaches.`, { expression: type });
  }
}

// One thing of a case that a command is about: what its patient has, wherever it came from.
import type { ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { CaseAtHand } from '../case-at-hand.ts';
import type { Kept, Records } from '../records.ts';

const NAMES: Partial<Record<ResourceType, string>> = { Condition: 'need', Goal: 'goal', Task: 'intervention' };

/** @throws Fault not-found when it is not there, may not be seen, or is another patient's */
export async function itemOfCase<K extends 'Condition' | 'Goal' | 'Task'>(
  records: Records,
  { subject }: CaseAtHand,
  type: K,
  id: string,
): Promise<Kept<K>> {
  const found = await records.read(type, id);
  const { subject: whose, for: whom } = (found ?? {}) as {
    subject?: { reference?: string };
    for?: { reference?: string };
  };
  if (found && (whose ?? whom)?.reference === subject.reference) return found;
  throw new Fault('not-found', `The case has no ${NAMES[type]} ${id}, or you may not see it.`);
}

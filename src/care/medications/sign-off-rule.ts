// A medication reconciliation is signed off by somebody qualified, whoever completes it and through which door. Asked inside
// the commit. docs/status-machines.md
import type { Procedure, Resource, ResourceType, Task } from '@medplum/fhirtypes';
import type { Clock } from '../../clock.ts';
import { type Revision, RevisionRefused, type RevisionRule } from '../../store/revision.ts';
import { homeStateOf, practitionerBehind, whatIsMissing } from '../qualifications/sign-off.ts';
import type { Kept } from '../records.ts';
import { idOf } from '../stored.ts';
import { hasLists, isReconciliation } from './reconciliation.ts';

/**
 * A person signs by completing it. Applications without a person, other servers and who passes on a document complete what
 * somebody else has signed: the performer of the Procedure in its `output`. What they bring in completed is history.
 * @param zone in which qualifications begin and end
 */
export function signOffRule(clock: Clock, zone: string): RevisionRule {
  return {
    types: new Set(['Task']),
    async check(revision) {
      const { before, after, actor, isDecided } = revision;
      if (isDecided || !isCompleted(after) || !(isSigned(before) || isSigned(after))) return;
      if (isSigned(before) && isCompleted(before)) return;
      const isPerson = actor.kind === 'user' && actor.passesOn !== true;
      if (!isPerson && !before) return;
      const signer = isPerson ? actor.reference : await performerOf(after as Task, revision);
      const missing = await objectionTo(signer, after as Task, revision, { now: clock.now(), zone });
      if (missing === undefined) return;
      const sentence = `A medication reconciliation is completed by who signs it off. ${missing}`;
      // To a person it says where the patient lives at most, else what is recorded of somebody else.
      const tellsOf = isPerson ? (after as Task).for?.reference : signer;
      throw new RevisionRefused(sentence, { expression: 'Task.status', ...(tellsOf ? { tellsOf } : {}) });
    },
  };
}

function isSigned(resource: Resource | undefined): boolean {
  return resource?.resourceType === 'Task' && isReconciliation(resource) && hasLists(resource);
}

const isCompleted = (resource: Resource | undefined) => (resource as Task | undefined)?.status === 'completed';

async function objectionTo(
  signer: string | undefined,
  task: Task,
  { find }: Revision,
  at: { readonly now: Temporal.Instant; readonly zone: string },
): Promise<string | undefined> {
  if (signer === undefined) return 'Its output names no Procedure that says who did.';
  const read = async <K extends ResourceType>(type: K, id: string) => {
    const [found] = await find(`${type}?${new URLSearchParams({ _id: id })}`);
    return found as Kept<K> | undefined;
  };
  const practitioner = await practitionerBehind({ read }, signer);
  if (!practitioner) return 'Only a person who is stored as a Practitioner can sign it off.';
  const id = idOf(task.for, 'Patient');
  const patient = id === undefined ? undefined : await read('Patient', id);
  return whatIsMissing(practitioner, 'medication-reconciliation', at, patient && homeStateOf(patient));
}

/** Of the Procedure that the same commit makes, or that is stored. */
async function performerOf({ output = [] }: Task, { written, find }: Revision): Promise<string | undefined> {
  for (const { valueReference } of output) {
    const id = idOf(valueReference, 'Procedure');
    if (id === undefined) continue;
    const made = written('Procedure', id) ?? (await find(`Procedure?${new URLSearchParams({ _id: id })}`))[0];
    const procedure = made as Procedure | undefined;
    if (procedure?.status === 'completed' && isReconciliation(procedure))
      return procedure.performer?.[0]?.actor.reference;
  }
  return undefined;
}

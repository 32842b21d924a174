// The steps of a patient's follow-ups as entries of the timeline: where each stood after every change, and who made it. They
// are its versions, so none is left out.
import type { Provenance, Reference } from '@medplum/fhirtypes';
import { toInstant } from '../local-time.ts';
import type { Kept, PagedRecords } from '../records.ts';
import { IDENTIFIER } from '../systems.ts';
import { stageOf } from '../transition/life.ts';
import type { Said } from './sources.ts';

export interface FollowUpStep {
  readonly said: Said;
  /** The version of the Task that it made. */
  readonly reference: string;
}

/** Oldest first of each. @throws Fault forbidden when the caller may see no Tasks or no Provenance */
export async function followUpSteps(records: PagedRecords, patient: string): Promise<FollowUpStep[]> {
  const tasks = await records.find('Task', {
    patient: `Patient/${patient}`,
    identifier: `${IDENTIFIER.followUp}|`,
  });
  const steps: FollowUpStep[] = [];
  for (const { id, meta } of tasks) {
    const written = await records.find('Provenance', { target: `Task/${id}` });
    for (let version = 1; version <= Number(meta.versionId); version++) {
      const reference = `Task/${id}/_history/${version}`;
      const task = await records.version('Task', id, String(version));
      if (task) steps.push({ said: stepOf(task, whoMade(reference, task, written)), reference });
    }
  }
  return steps;
}

/** What Baton plans together has one Provenance that names no versions; it is of the moment of the change. */
function whoMade(reference: string, { lastModified }: Kept<'Task'>, written: readonly Provenance[]) {
  const exact = written.find(({ target }) => target.some((one) => one.reference === reference));
  const planned = written.find(
    ({ target, recorded }) =>
      isSameMoment(recorded, lastModified) && target.some((one) => one.reference === reference.split('/_history/')[0]),
  );
  return (exact ?? planned)?.agent[0]?.who;
}

/** Tasks know their moments to the second. */
function isSameMoment(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const second = (text: string) => Math.floor(toInstant(text, 'UTC').epochMilliseconds / 1000);
  return second(one) === second(other);
}

function stepOf(task: Kept<'Task'>, who: Reference | undefined): Said {
  return {
    kind: 'step',
    // By the clock of the follow-up; the sandbox moves it, and not the one that dates versions.
    when: task.lastModified ?? task.meta.lastUpdated,
    what: task.description ?? 'follow-up',
    code: task.businessStatus,
    status: task.status,
    stage: stageOf(task),
    who,
  };
}

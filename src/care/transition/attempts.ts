// A follow-up with what is known of the attempts at it: its output, and where it stands because of them.
import type { Communication, Task } from '@medplum/fhirtypes';
import { isTerminal } from '../../fhir/status/task.ts';
import { hasCode } from '../concept.ts';
import type { CountingFacts } from '../contacts/counted-contact.ts';
import { toLastInstant } from '../local-time.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { touched } from '../touched.ts';
import { countedAttempts, creditedAt, outputWith } from './credit.ts';
import { clockOf } from './follow-up-clock.ts';
import { stageAfter, stageConcept, stageOf } from './life.ts';

export interface Counting extends Pick<CountingFacts, 'named'> {
  readonly discharged: Temporal.Instant;
  readonly zone: string;
  readonly now: Temporal.Instant;
}

/** What is to reach the patient: the interactive contact, and whatever attempts earn credit for. */
export const isToReach = (task: Task): boolean =>
  hasCode(task.code, CODE_SYSTEM.followUpStep, 'interactive-contact') || clockOf(task).attempts !== undefined;

export function countingFacts(task: Task, named: CountingFacts['named']): CountingFacts {
  return { named, followUps: new Set([referenceTo(task).reference]) };
}

/**
 * @param attempts all Communications based on the Task, also those that were entered in error
 * @param discharged when the patient left; what was tried before does not count
 * @param named contacts of which a Provenance names who made them
 * @returns undefined when nothing changes
 */
export function withAttempts(
  task: Task,
  attempts: readonly Communication[],
  { discharged, zone, now, named }: Counting,
): Task | undefined {
  const { attempts: wanted, apart = 0 } = clockOf(task);
  const due = task.restriction?.period?.end;
  const counted =
    wanted && due
      ? countedAttempts(
          attempts,
          { attempts: wanted, apart },
          discharged,
          toLastInstant(due, zone),
          countingFacts(task, named),
        )
      : [];
  const earned = wanted && counted.length >= wanted ? counted.at(-1)?.sent : undefined;
  const output = outputWith(task, attempts, earned);
  const stage = isTerminal(task.status) ? undefined : stageOf(task);
  const next = stage && nextStage(stage === 'credited', earned) && stageAfter(stage, earned ? 'credit' : 'uncredit');
  const same = JSON.stringify(output) === JSON.stringify(task.output ?? []);
  if (same && !next && creditedAt(task) === earned) return undefined;
  const { output: _, ...rest } = task;
  return touched(
    { ...rest, ...(output.length > 0 ? { output } : {}), ...(next ? { businessStatus: stageConcept(next) } : {}) },
    now,
  );
}

const nextStage = (isCredited: boolean, earned: string | undefined) => isCredited !== (earned !== undefined);

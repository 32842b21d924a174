// What a plan was to be by its pathways beside what became of it. Computed from the resources, nothing is kept.
import type { CarePlan, Reference, ServiceRequest, Task } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../local-time.ts';
import { IDENTIFIER } from '../systems.ts';
import type { Variance } from './variance.ts';

/** Tasks and requests of a plan. */
export type Work = Task | ServiceRequest;

export type StepState = 'open' | 'overdue' | 'done' | 'done-late' | 'not-done' | 'added';

export interface StepReport {
  /** Id of the pathway; absent for what was added. */
  readonly pathway?: string;
  readonly step?: string;
  readonly title: string;
  readonly state: StepState;
  readonly reference: Reference;
  /** FHIR dateTime. */
  readonly due?: string;
  readonly done?: string;
  /** Indexes of the recorded variances about it. */
  readonly variances: readonly number[];
  /** It went another way and nobody has said why. */
  readonly isUnexplained: boolean;
}

interface ReportInput {
  readonly plan: CarePlan;
  /** Everything that the plan's activities refer to, as far as it may be seen. */
  readonly work: readonly (Work & { readonly id?: string })[];
  readonly variances: readonly Variance[];
  readonly now: Temporal.Instant;
  readonly zone: string;
}

/** One row for each activity of the plan, in the plan's order. */
export function reportVariance({ plan, work, variances, now, zone }: ReportInput): StepReport[] {
  const byReference = new Map(work.map((one) => [`${one.resourceType}/${one.id}`, one]));
  const followsPathway = (plan.instantiatesCanonical?.length ?? 0) > 0;
  return (plan.activity ?? []).flatMap(({ reference }) => {
    const one = byReference.get(reference?.reference ?? '');
    if (!one) return [];
    const key = stepOf(one);
    const due = dueOf(one);
    const done = doneOf(one);
    const state = key || !followsPathway ? stateOf(one, due, done, now, zone) : 'added';
    const found = variances.flatMap((variance, index) =>
      variance.about?.reference === reference?.reference || (key && isSame(variance, key)) ? [index] : [],
    );
    return {
      ...(key ? { pathway: key.pathway, step: key.step } : {}),
      title: titleOf(one),
      state,
      reference: { reference: reference?.reference ?? '' },
      ...(due ? { due } : {}),
      ...(done ? { done } : {}),
      variances: found,
      isUnexplained: state !== 'open' && state !== 'done' && found.length === 0,
    };
  });
}

/** `CASE|PATHWAY|STEP|OCCURRENCE` of something that a pathway planned. */
export function stepOf({ identifier }: Work): { pathway: string; step: string } | undefined {
  const value = identifier?.find(({ system }) => system === IDENTIFIER.pathwayStep)?.value;
  const [, pathway, step] = value?.split('|') ?? [];
  return pathway && step ? { pathway, step } : undefined;
}

function isSame({ pathway, step }: Variance, key: { pathway: string; step: string }): boolean {
  return step === key.step && pathway?.split('|')[0]?.split('/').at(-1) === key.pathway;
}

function stateOf(
  work: Work,
  due: string | undefined,
  done: string | undefined,
  now: Temporal.Instant,
  zone: string,
): StepState {
  const deadline = due === undefined ? undefined : toLastInstant(due, zone);
  if (work.status === 'completed') {
    if (!deadline || done === undefined) return 'done';
    return Temporal.Instant.compare(toInstant(done, zone), deadline) > 0 ? 'done-late' : 'done';
  }
  if (['cancelled', 'rejected', 'failed', 'revoked', 'entered-in-error'].includes(work.status ?? '')) return 'not-done';
  return deadline && Temporal.Instant.compare(now, deadline) > 0 ? 'overdue' : 'open';
}

function dueOf(work: Work): string | undefined {
  return work.resourceType === 'Task' ? work.restriction?.period?.end : work.occurrencePeriod?.end;
}

function doneOf(work: Work): string | undefined {
  if (work.resourceType !== 'Task' || work.status !== 'completed') return undefined;
  return work.executionPeriod?.end ?? work.lastModified;
}

function titleOf(work: Work): string {
  const words = work.resourceType === 'Task' ? work.description : undefined;
  return words ?? work.code?.text ?? work.code?.coding?.[0]?.display ?? work.resourceType;
}

// A new version of the plan in place of the one that is: what is open goes on in it, what has ended stays with the old one.

import type { CarePlan, Reference, Task } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { workableCase } from '../case-at-hand.ts';
import { isPursued } from '../goals/goal.ts';
import { hasEnded } from '../interventions/activity-view.ts';
import { activitiesOf } from '../interventions/list-interventions.ts';
import { isOpen } from '../needs/settle-need.ts';
import { withNote } from '../note.ts';
import { plansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { checkPeriod, planId } from './change-plan.ts';
import { newPlan, retold } from './new-plan.ts';
import { requirePlan } from './plan-of-case.ts';
import type { PlanInput } from './plan-schema.ts';
import { requireStep } from './status-step.ts';

/** @throws Fault not-found; unprocessable when no plan is going on, or naming the member */
export async function replacePlan(
  records: Records,
  caller: Caller,
  { caseId, body: { note, ...input } }: { readonly caseId: string; readonly body: PlanInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  checkPeriod(input.period, caller);
  const old = await requirePlan(records, caseId);
  const ended = retold({ ...old, status: 'revoked', ...withNote(old.note, caller, 'Replaced by a new version.') });
  requireStep<CarePlan>(old, ended);
  const id = planId(caseId, (await plansOfCase(records, caseId)).length);
  const open = (await activitiesOf(records, old)).filter((one) => !hasEnded(one as { status?: string }));
  const openOnes = new Set(open.map(({ resourceType, id: one }) => `${resourceType}/${one}`));
  const goal = await stillOpen(records, 'Goal', old.goal);
  const addresses = await stillOpen(records, 'Condition', old.addresses);
  const activity = (old.activity ?? []).filter(({ reference }) => openOnes.has(reference?.reference ?? ''));
  const given = {
    title: input.title ?? old.title ?? 'Care plan',
    ...((input.description ?? old.description)
      ? { description: input.description ?? (old.description as string) }
      : {}),
    ...(input.period ? { period: input.period } : {}),
  };
  const fresh = newPlan(about, given, caller);
  const resource: CarePlan = {
    ...fresh,
    replaces: [{ reference: `CarePlan/${old.id}` }],
    ...(old.careTeam ? { careTeam: old.careTeam } : {}),
    ...supportFor(old),
    ...(addresses.length > 0 ? { addresses: addresses as CarePlan['addresses'] } : {}),
    ...(goal.length > 0 ? { goal: goal as CarePlan['goal'] } : {}),
    ...(activity.length > 0 ? { activity } : {}),
    ...withNote(undefined, caller, note),
  };
  return {
    changes: [
      { op: 'create', id, resource },
      { op: 'update', resource: ended, ifMatch: old.meta.versionId },
      ...open.flatMap((one) => rebased(one, `CarePlan/${old.id}`, `CarePlan/${id}`)),
    ],
    about: 0,
  };
}

/** Plans named their case here once, where MCC eCare Plan allows none; an extension of the new one does. */
function supportFor({ supportingInfo = [] }: CarePlan): Pick<CarePlan, 'supportingInfo'> {
  const kept = supportingInfo.filter(({ reference }) => !reference?.startsWith('EpisodeOfCare/'));
  return kept.length > 0 ? { supportingInfo: kept } : {};
}

/** The references to what is neither over nor given up; what cannot be seen goes along. */
async function stillOpen(records: Records, type: 'Goal' | 'Condition', references: readonly Reference[] = []) {
  const open = await Promise.all(
    references.map(async ({ reference }) => {
      const found = await records.read(type, parseLiteral(reference ?? '')?.id ?? '');
      if (!found) return true;
      return found.resourceType === 'Goal' ? isPursued(found) : isOpen(found);
    }),
  );
  return references.filter((_, at) => open[at]);
}

/** Open work is based on the new plan from now on. */
function rebased(
  work: Kept<'Task' | 'ServiceRequest'> | { readonly resourceType: string },
  from: string,
  to: string,
): Change[] {
  const { basedOn, meta, focus } = work as Task & { meta: { versionId: string } };
  const isOld = (one: Reference | undefined) => one?.reference === from;
  if (!basedOn?.some(isOld)) return [];
  const moved = {
    ...work,
    basedOn: basedOn.map((one) => (isOld(one) ? { ...one, reference: to } : one)),
    ...(isOld(focus) ? { focus: { ...focus, reference: to } } : {}),
  } as Task;
  return [{ op: 'update', resource: moved, ifMatch: meta.versionId }];
}

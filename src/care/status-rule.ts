// The status machines at the door of the store: every update and every patch, from wherever it comes. What was deleted and
// comes back is bound by what it said last, but for what others pass on. docs/status-machines.md
import type { Resource, Task } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { GOVERNED, machineOf, statusOf } from '../fhir/status/machine-of.ts';
import { REFERRAL } from '../fhir/status/referral.ts';
import { refuseStep } from '../fhir/status/step.ts';
import { type Revision, RevisionRefused, type RevisionRule } from '../store/revision.ts';
import { actingFor } from './acting-for.ts';
import { followUpKey } from './transition/follow-up.ts';
import { refuseStage } from './transition/life.ts';

/** Baton's own parts and other servers write the sum of steps that nobody saw one by one; people and applications do not. */
const MAY_LEAP = { user: false, client: false, service: true, connection: true } as const;

/** @param clock tells which memberships hold now */
export function statusRule(clock: Clock): RevisionRule {
  return {
    types: GOVERNED,
    async check(revision) {
      const { before, after, actor, isDecided, isReborn } = revision;
      const isTheirs = actor.passesOn === true;
      const mayLeap = isTheirs || MAY_LEAP[actor.kind];
      if (!before || isDecided || (isReborn && mayLeap)) return;
      const parties =
        !isTheirs && asksWho(revision)
          ? await actingFor({ ...revision, task: before as Task, now: clock.now() })
          : 'any';
      const refusal = refuseStep(before, after, { parties, mayLeap });
      if (refusal) throw new RevisionRefused(refusal.sentence, { expression: refusal.expression });
      const ill = !mayLeap && isFollowUp(before, after) ? refuseStage(before, after as Task) : undefined;
      if (ill) throw new RevisionRefused(ill, { expression: 'Task.businessStatus' });
    },
  };
}

function isFollowUp(before: Resource, after: Resource): before is Task {
  return before.resourceType === 'Task' && after.resourceType === 'Task' && followUpKey(before) !== undefined;
}

/** Only a referral's new status asks who sets it. */
function asksWho({ before, after }: Revision): boolean {
  if (!before) return false;
  const machine = machineOf(before, after);
  return machine === REFERRAL && statusOf(machine, before) !== statusOf(machine, after);
}

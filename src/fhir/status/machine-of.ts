// The machine that a resource's status obeys.
import type { Resource } from '@medplum/fhirtypes';
import { CARE_TEAM } from './care-team.ts';
import { EPISODE_OF_CARE } from './episode-of-care.ts';
import { GOAL } from './goal.ts';
import type { AnyMachine } from './machine.ts';
import { isReferral, REFERRAL } from './referral.ts';
import { CARE_PLAN, SERVICE_REQUEST } from './request.ts';
import { TASK } from './task.ts';

const MACHINES: ReadonlyMap<string, AnyMachine> = new Map<string, AnyMachine>([
  ['Task', TASK],
  ['CarePlan', CARE_PLAN],
  ['Goal', GOAL],
  ['ServiceRequest', SERVICE_REQUEST],
  ['EpisodeOfCare', EPISODE_OF_CARE],
  ['CareTeam', CARE_TEAM],
]);

/** Resource types whose status obeys a machine. */
export const GOVERNED: ReadonlySet<string> = new Set(MACHINES.keys());

/** All machines, a referral's beside that of other Tasks. */
export const ALL_MACHINES: readonly AnyMachine[] = [...MACHINES.values(), REFERRAL];

/**
 * Undefined for a type that has none.
 * @param versions of one resource; a Task that is a referral in any of them obeys the machine of referrals, so that
 * nobody leaves it by taking away what makes it one
 */
export function machineOf(...versions: readonly Resource[]): AnyMachine | undefined {
  const isOne = versions.some((version) => version.resourceType === 'Task' && isReferral(version));
  return isOne ? REFERRAL : MACHINES.get(versions[0]?.resourceType ?? '');
}

/** The status as it is written; undefined when there is none. */
export function statusOf({ element }: AnyMachine, resource: Resource): string | undefined {
  const status = (resource as unknown as Record<string, unknown>)[element];
  return typeof status === 'string' ? status : undefined;
}

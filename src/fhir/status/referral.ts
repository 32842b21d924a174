// What may become of a referral's Task, and which of its two sides may say so: the ten statuses of Gravity's
// SDOHCC-TaskForReferralManagement. `ready` and `received` are none of them; a Task that came with one goes on from there.
// https://hl7.org/fhir/us/sdoh-clinicalcare

import type { Task } from '@medplum/fhirtypes';
import { profileUrl } from '../profile-canonical.ts';
import type { Machine } from './machine.ts';
import type { TaskStatus } from './task.ts';

/** `requester`: who asks for the service. `owner`: who is to give it. */
export type Side = 'requester' | 'owner';

const ENDS = ['completed', 'failed', 'cancelled', 'entered-in-error'] as const;

export const REFERRAL: Machine<TaskStatus> = {
  name: 'referral Task',
  element: 'status',
  source: profileUrl('gravity', 'SDOHCC-TaskForReferralManagement'),
  successors: {
    draft: ['requested', 'cancelled', 'entered-in-error'],
    // A partner who helps at once, or writes it down afterwards, need not say first that he accepts.
    requested: ['accepted', 'rejected', 'in-progress', 'on-hold', ...ENDS],
    received: ['accepted', 'rejected', 'in-progress', 'on-hold', ...ENDS],
    accepted: ['rejected', 'in-progress', 'on-hold', ...ENDS],
    ready: ['in-progress', 'on-hold', ...ENDS],
    'in-progress': ['on-hold', ...ENDS],
    'on-hold': ['in-progress', 'failed', 'cancelled', 'entered-in-error'],
    rejected: ['entered-in-error'],
    cancelled: ['entered-in-error'],
    failed: ['entered-in-error'],
    completed: ['entered-in-error'],
    'entered-in-error': [],
  },
};

/** Who may set which status. */
export const SET_BY: Readonly<Record<TaskStatus, readonly Side[]>> = {
  draft: ['requester'],
  requested: ['requester'],
  accepted: ['owner'],
  rejected: ['owner'],
  'in-progress': ['owner'],
  'on-hold': ['owner'],
  completed: ['owner'],
  failed: ['owner'],
  cancelled: ['requester', 'owner'],
  'entered-in-error': ['requester'],
  received: [],
  ready: [],
};

const PROFILES = new Set([
  profileUrl('baton', 'baton-referral-task'),
  profileUrl('gravity', 'SDOHCC-TaskForReferralManagement'),
]);
const TASK_CODE = 'http://hl7.org/fhir/CodeSystem/task-code';

/** A Task that asks another party to do what an order says, or one that claims to be such. */
export function isReferral({ code, focus, meta }: Task): boolean {
  if (meta?.profile?.some((profile) => PROFILES.has(profile.split('|')[0] ?? ''))) return true;
  const fulfills = code?.coding?.some((coding) => coding.system === TASK_CODE && coding.code === 'fulfill') ?? false;
  return fulfills && (focus?.type === 'ServiceRequest' || /(^|\/)ServiceRequest\//.test(focus?.reference ?? ''));
}

// A task that is the patient's own, or a caregiver's, as Gravity has it.
// http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForPatient
import type { Reference, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { codedOf } from '../coded.ts';
import { GRAVITY_CODES } from '../needs/social-needs.ts';
import { GRAVITY_CLAIMS } from '../plans/claims.ts';

const GENERAL = { system: GRAVITY_CODES, code: 'general-information', display: 'General Information' };

/** Gravity has a task for a patient come from one of these. */
const REQUESTERS = new Set(['PractitionerRole', 'Organization']);

/** Whether the patient, or somebody of theirs, is who does it. */
export function isPatients(
  owner: { readonly reference?: string } | undefined,
): owner is { readonly reference: string } {
  const type = parseLiteral(owner?.reference ?? '')?.type;
  return type === 'Patient' || type === 'RelatedPerson';
}

/** A task whose answer the patient gives in free text. */
export function isGeneral({ code }: Task): boolean {
  return code?.coding?.some(({ system, code: one }) => system === GENERAL.system && one === GENERAL.code) ?? false;
}

/**
 * The task in the hands of the patient or a caregiver: ready for them, with a description they can read.
 * @throws Fault unprocessable when there is nothing to read
 */
export function forPatient(task: Task, owner: Reference): Task {
  const description = task.description ?? codedOf(task.code)?.text;
  if (!description) {
    throw new Fault('unprocessable', 'The patient needs words to go by: description is missing.', {
      expression: 'description',
      code: 'required',
    });
  }
  const hasGravityCode = task.code?.coding?.some(({ system }) => system === GRAVITY_CODES);
  const code = hasGravityCode ? task.code : { ...task.code, coding: [...(task.code?.coding ?? []), GENERAL] };
  const isWaiting = ['draft', 'requested', 'received', 'accepted'].includes(task.status);
  const requesterType = parseLiteral(task.requester?.reference ?? '')?.type ?? '';
  const mayClaim = REQUESTERS.has(requesterType) && task.authoredOn !== undefined && task.intent === 'order';
  const claimed = withoutClaim(task);
  return {
    ...claimed,
    ...(mayClaim
      ? { meta: { ...claimed.meta, profile: [...(claimed.meta?.profile ?? []), GRAVITY_CLAIMS.taskForPatient] } }
      : {}),
    status: isWaiting ? 'ready' : task.status,
    priority: task.priority === 'urgent' || task.priority === 'asap' || task.priority === 'stat' ? 'urgent' : 'routine',
    code,
    description,
    owner: owner as Task['owner'],
  } as Task;
}

/** The task back in the hands of somebody who works here. */
export function notForPatient(task: Task): Task {
  if (!isGeneral(task)) return withoutClaim(task);
  const { code, ...rest } = withoutClaim(task);
  const coding = (code?.coding ?? []).filter((one) => one.code !== GENERAL.code || one.system !== GENERAL.system);
  const { coding: _, ...words } = code ?? {};
  const left = coding.length > 0 ? { ...words, coding } : words;
  return Object.keys(left).length > 0 ? { ...rest, code: left } : rest;
}

function withoutClaim(task: Task): Task {
  const profile = task.meta?.profile;
  if (!profile?.includes(GRAVITY_CLAIMS.taskForPatient)) return task;
  return { ...task, meta: { ...task.meta, profile: profile.filter((one) => one !== GRAVITY_CLAIMS.taskForPatient) } };
}

/** @throws Fault unprocessable naming the output that no patient's task can have */
export function patientOutput(text: string | undefined, member: string) {
  if (text !== undefined) {
    return { type: { coding: [{ system: GRAVITY_CODES, code: 'general-information-response' }] }, valueMarkdown: text };
  }
  throw new Fault('unprocessable', `${member} must be a text: that is how a task of the patient is answered.`, {
    expression: member,
    code: 'business-rule',
  });
}

// What a nurse answers when a panel proposes a patient: enrol, which opens a case, or decline until a day.
import type { Extension } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import type { OpenCase } from '../cases/case-schema.ts';
import { conceptOf } from '../coded.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { declineMembership, enrolledMembership, membershipId, statusOf } from './membership.ts';
import type { Panel } from './panel.ts';
import type { DeclineMember } from './panel-schema.ts';

/** Who and where the answer is about. */
export interface Proposed {
  readonly panel: Panel;
  /** Id of the patient. */
  readonly patient: string;
}

/**
 * @param open plans the case of the panel's programme, or of another that the input names
 * @throws Fault unprocessable when the panel does not propose the patient; whatever `open` throws
 */
export async function enrolMember(
  records: Records,
  caller: Caller,
  { panel, patient }: Proposed,
  open: (input: { patient: OpenCase['patient']; programme: OpenCase['programme'] }) => Promise<Planned>,
): Promise<Planned> {
  const current = await records.read('Group', membershipId(panel.code, patient));
  if (!current || statusOf(current) === 'off') {
    throw new Fault('unprocessable', 'The patient is not on this panel; open a case without it.', {
      code: 'business-rule',
      expression: 'patient',
    });
  }
  const programme = { system: CODE_SYSTEM.panel, code: panel.code, text: panel.title };
  const opened = await open({ patient: { reference: `Patient/${patient}` }, programme });
  const made = opened.changes[opened.about];
  if (made?.op !== 'create' || made.id === undefined) throw new Error('Opening a case must create it.');
  const reference = `EpisodeOfCare/${made.id}`;
  return planned(enrolledMembership(panel, patient, current, reference, caller), current, opened.changes);
}

/** @throws Fault unprocessable when the day is over, or there is no such patient for the caller */
export async function declineMember(
  records: Records,
  caller: Caller,
  { panel, patient }: Proposed,
  { reason, until }: DeclineMember,
): Promise<Planned> {
  const { now, zone, who } = caller;
  if (until < localDate(now, zone).toString()) throw refusal('The last day of a decline cannot be over.', 'until');
  const current = await records.read('Group', membershipId(panel.code, patient));
  if (!current && !(await records.read('Patient', patient))) {
    throw refusal('There is no such patient, or the record is not open to who asks.', 'patient');
  }
  const decline: Extension = {
    url: EXTENSION.panelDecline,
    extension: [
      { url: 'until', valueDate: until },
      { url: 'reason', valueCodeableConcept: conceptOf(reason) },
      { url: 'by', valueReference: who },
      { url: 'at', valueDateTime: toFhirDateTime(now, zone) },
    ],
  };
  return planned(declineMembership(panel, patient, current, decline, caller), current, []);
}

function planned(
  resource: ReturnType<typeof declineMembership>,
  current: Kept<'Group'> | undefined,
  others: readonly Change[],
): Planned {
  const known = current ? { ifMatch: current.meta.versionId } : { ifAbsent: true };
  return { changes: [...others, { op: 'update', resource, ...known }], about: others.length };
}

const refusal = (sentence: string, expression: string) =>
  new Fault('unprocessable', sentence, { code: 'business-rule', expression });

// A discharge that was told wrongly is put right, or taken back as HL7 v2 A13 does. What is put right counts until the hospital
// tells of something that happened later.
import type { Encounter } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Artefacts } from '../../fhir/artefacts.ts';
import { EVENT_TIME, instantOf, withoutInstant } from '../../fhir/event-time.ts';
import { withEnd } from '../../fhir/stand-in-end.ts';
import { withStayWords } from '../../fhir/stay-words.ts';
import { conceptOf } from '../coded.ts';
import { requireOrder, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { dischargeAtHand } from './discharge-at-hand.ts';
import type { CorrectDischarge, TakeBackDischarge } from './discharge-schema.ts';
import { dispositionOf } from './disposition.ts';
import { stamped, stampedTakenBack } from './event-time.ts';
import { withTold } from './told.ts';

interface On<Body> {
  readonly patient: string;
  readonly id: string;
  readonly body: Body;
}

/** @throws Fault not-found; unprocessable for times that cannot be, codes and references not known */
export async function correctDischarge(
  records: Records,
  caller: Caller,
  installed: Artefacts,
  { patient, id, body }: On<CorrectDischarge>,
): Promise<Planned> {
  const stay = await dischargeAtHand(records, patient, id);
  const { why, discharged, admitted, disposition, facility, reason } = body;
  const [start, end] = [admitted ?? stay.period?.start, discharged ?? stay.period?.end];
  if (discharged !== undefined) requirePast(discharged, 'discharged', caller);
  requireOrder(start, end, ['admitted', 'discharged'], caller);
  if (facility) await knownResource(records, {}, facility.reference, ['Organization'], 'facility');
  const dischargeDisposition = disposition === undefined ? undefined : dispositionOf(installed, disposition);
  const begun = { ...stay.period, ...(start === undefined ? {} : { start }) };
  const right: Encounter = {
    ...stay,
    period: discharged === undefined ? begun : withEnd(begun, discharged),
    ...(dischargeDisposition ? { hospitalization: { ...own(stay), dischargeDisposition } } : {}),
    ...(facility ? { serviceProvider: facility as NonNullable<Encounter['serviceProvider']> } : {}),
    ...(reason ? { reasonCode: [conceptOf(reason)] } : {}),
  };
  const extension = stamped(stay, caller.now);
  if (discharged === undefined) return decided({ ...right, extension }, stay, why, caller);
  // Who says the date alone says that no time is known: what older messages told counts no more.
  const at = instantOf({ extension }, EVENT_TIME);
  const words = discharged.includes('T') ? [] : [{ at }, { at, end: discharged }];
  return decided({ ...right, extension: withStayWords(extension, words) }, stay, why, caller);
}

/** @throws Fault not-found; unprocessable when the hospital has given the stay a number and it is said that it never was */
export async function takeBackDischarge(
  records: Records,
  caller: Caller,
  { patient, id, body }: On<TakeBackDischarge>,
): Promise<Planned> {
  const found = await dischargeAtHand(records, patient, id);
  if (body.stay === 'never-was') {
    requireUnnumbered(found);
    const never: Encounter = { ...found, status: 'entered-in-error', extension: stamped(found, caller.now) };
    return decided(never, found, body.why, caller);
  }
  const { period, hospitalization: _h, ...rest } = found;
  const open = withEnd(period, undefined);
  const { dischargeDisposition: _d, ...others } = own(found);
  const goesOn: Encounter = {
    ...rest,
    status: 'in-progress',
    extension: withStayWords(stampedTakenBack(found, caller), []),
    ...(Object.keys(open).length > 0 ? { period: open } : {}),
    ...(Object.keys(others).length > 0 ? { hospitalization: others } : {}),
  };
  return decided(goesOn, found, body.why, caller);
}

/** What is said of it from here on counts from now. */
const own = ({ hospitalization = {} }: Encounter): NonNullable<Encounter['hospitalization']> =>
  withoutInstant(hospitalization, EVENT_TIME);

function requireUnnumbered({ identifier = [] }: Encounter): void {
  if (identifier.length === 0) return;
  const sentence = 'The hospital has numbered this stay; only the hospital can say that it never was.';
  throw new Fault('unprocessable', sentence, { expression: 'stay', code: 'business-rule' });
}

function decided(next: Encounter, { meta }: Kept<'Encounter'>, why: string, caller: Caller): Planned {
  const resource = { ...next, extension: withTold(next, caller, why) };
  return { changes: [{ op: 'update', resource, ifMatch: meta.versionId }], about: 0 };
}

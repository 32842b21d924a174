// A person tells of a discharge: the stay they mean ends, or is made when nobody had told of it. What the hospital has said
// already stays; what it left open is filled, when the patient left too.
import { randomUUID } from 'node:crypto';
import type { CodeableConcept, Encounter, Reference } from '@medplum/fhirtypes';
import type { Artefacts } from '../../fhir/artefacts.ts';
import { isStandIn, withEnd } from '../../fhir/stand-in-end.ts';
import { conceptOf } from '../coded.ts';
import { requireOrder, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { toldEnd } from '../transition/discharge.ts';
import { patientToTellOf } from './discharge-at-hand.ts';
import { SETTINGS, type TellDischarge } from './discharge-schema.ts';
import { dispositionOf } from './disposition.ts';
import { stamped, timeOfDischarge } from './event-time.ts';
import { findStay } from './find-stay.ts';
import { replaceStandIn } from './replace-stand-in.ts';
import { withTold } from './told.ts';

/** @throws Fault not-found; unprocessable for times that cannot be, codes and references not known, several stays */
export async function tellDischarge(
  records: Records,
  caller: Caller,
  installed: Artefacts,
  { patient, told }: { readonly patient: string; readonly told: TellDischarge },
): Promise<Planned> {
  const subject = await patientToTellOf(records, patient);
  requirePast(told.discharged, 'discharged', caller);
  requireOrder(told.admitted, told.discharged, ['admitted', 'discharged'], caller);
  if (told.facility) await knownResource(records, {}, told.facility.reference, ['Organization'], 'facility');
  const disposition = told.disposition === undefined ? undefined : dispositionOf(installed, told.disposition);
  const stay = await findStay(records, subject, told, caller);
  requireOrder(stay?.period?.start, told.discharged, ['admission', 'discharged'], caller);
  if (!stay) {
    const resource = filled({ ...newStay(told), subject }, told, disposition);
    const changes = [{ op: 'create', resource: discharged(resource, told, caller), id: randomUUID() }] as const;
    // The hospital may be telling of the same stay at this moment.
    return { changes, about: 0, unlessNewer: `Encounter?patient=${subject.reference}` };
  }
  const known = filled(stay, told, disposition);
  const isSaid = toldEnd(stay, caller.zone) !== undefined;
  const resource = isSaid ? confirmed(known, told, caller) : discharged(known, told, caller);
  return { changes: [{ op: 'update', resource, ifMatch: stay.meta.versionId }], about: 0 };
}

function newStay({ setting = 'inpatient' }: TellDischarge): Encounter {
  const kind = SETTINGS[setting];
  return {
    resourceType: 'Encounter',
    status: 'finished',
    class: { ...kind },
    // US Core wants a type.
    type: [{ text: kind.display }],
  };
}

function confirmed(stay: Encounter, { discharged: end }: TellDischarge, caller: Caller): Encounter {
  const known = isStandIn(stay.period) ? replaceStandIn(stay, end, caller) : stay;
  return { ...known, extension: withTold(known, caller) };
}

function discharged(stay: Encounter, { discharged: end }: TellDischarge, caller: Caller): Encounter {
  const told = { ...stay, extension: stamped(stay, timeOfDischarge(end, caller)) };
  return { ...told, status: 'finished', period: withEnd(stay.period, end), extension: withTold(told, caller) };
}

/** What the stay does not say yet. */
function filled(stay: Encounter, told: TellDischarge, disposition: CodeableConcept | undefined): Encounter {
  const { admitted, facility, facilityName, reason } = told;
  const provider: Reference | undefined =
    facility ?? (facilityName === undefined ? undefined : { display: facilityName });
  const { hospitalization, period, serviceProvider = provider, reasonCode = reason && [conceptOf(reason)] } = stay;
  const dischargeDisposition = hospitalization?.dischargeDisposition ?? disposition;
  const start = period?.start ?? admitted;
  return {
    ...stay,
    ...(start === undefined ? {} : { period: { ...period, start } }),
    ...(dischargeDisposition ? { hospitalization: { ...hospitalization, dischargeDisposition } } : {}),
    ...(serviceProvider ? { serviceProvider: serviceProvider as NonNullable<Encounter['serviceProvider']> } : {}),
    ...(reasonCode ? { reasonCode } : {}),
  };
}

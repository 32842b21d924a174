// A transition to prove things about: home on Friday 20 November 2026, 14:00 in New York.
import type { Communication, Encounter, Practitioner, Procedure } from '@medplum/fhirtypes';
import { writeContact } from '../../../src/care/contacts/write-contact.ts';
import type { HedisFacts } from '../../../src/care/evidence/evidence-facts.ts';
import { usFederal } from '../artifacts.ts';
import { NEW_YORK, sampleEncounter } from '../sample.ts';

export const TCM_CODE = (code: string) => ({ coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] });

export function facts(changes: Partial<HedisFacts> = {}): HedisFacts {
  return {
    episode: {
      resourceType: 'EpisodeOfCare',
      id: 't1',
      status: 'active',
      patient: { reference: 'Patient/p1' },
      period: { start: '2026-11-20T14:00:00-05:00' },
    },
    encounter: sampleEncounter(),
    patient: { resourceType: 'Patient', id: 'p1', birthDate: '1950-03-01' },
    destination: 'home',
    zone: NEW_YORK,
    calendar: usFederal,
    discharge: Temporal.Instant.from('2026-11-20T19:00:00Z'),
    now: Temporal.Instant.from('2026-11-23T15:00:00Z'),
    tasks: [],
    encounters: [],
    contacts: [],
    named: new Set(),
    conditions: [],
    procedures: [],
    appointments: [],
    documents: [],
    observations: [],
    provenances: [],
    counted: new Map(),
    notSeen: [],
    practitioners: new Map([
      ['Practitioner/nurse', person('nurse', 'RN')],
      ['Practitioner/lpn', person('lpn', 'LPN', 'https://baton.health/fhir/CodeSystem/credential')],
      ['Practitioner/doctor', person('doctor', 'MD')],
      ['Practitioner/pharmacist', person('pharmacist', 'RPH')],
    ]),
    ...changes,
  };
}

function person(id: string, code: string, system = 'http://terminology.hl7.org/CodeSystem/v2-0360'): Practitioner {
  return { resourceType: 'Practitioner', id, active: true, qualification: [{ code: { coding: [{ system, code }] } }] };
}

/** As a nurse logs it. */
export function contact(
  id: string,
  started: string,
  outcome: 'reached' | 'left-message' | 'no-answer' | 'refused' = 'reached',
  more: {
    channel?: 'phone' | 'letter' | 'in-person' | 'portal';
    party?: 'patient' | 'caregiver' | 'provider';
    by?: string;
  } = {},
): Communication {
  const { channel = 'phone', party = 'patient', by = 'Practitioner/nurse' } = more;
  const caller = { who: { reference: by }, now: Temporal.Instant.from('2026-11-23T15:00:00Z'), zone: NEW_YORK };
  const place = { episode: 'EpisodeOfCare/c1', patient: 'Patient/p1' };
  return { ...writeContact({ channel, party, outcome, started }, place, caller), id };
}

export function visit(id: string, start: string, changes: Partial<Encounter> = {}): Encounter {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: 'Patient/p1' },
    participant: [{ individual: { reference: 'Practitioner/doctor' } }],
    period: { start },
    ...changes,
  };
}

/** By video, as it is logged with a contact. @param by id of the Practitioner */
export function loggedVisit(id: string, start: string, by: string): Encounter {
  return visit(id, start, {
    meta: { profile: ['https://baton.health/fhir/StructureDefinition/baton-visit'] },
    class: { code: 'VR' },
    participant: [{ individual: { reference: `Practitioner/${by}` } }],
  });
}

export function stay(id: string, start: string, end?: string): Encounter {
  return sampleEncounter({ id, status: end ? 'finished' : 'in-progress', period: { start, ...(end ? { end } : {}) } });
}

export function reconciliation(id: string, on: string, by: string | undefined = 'Practitioner/nurse'): Procedure {
  return {
    resourceType: 'Procedure',
    id,
    status: 'completed',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] },
    subject: { reference: 'Patient/p1' },
    performedDateTime: on,
    ...(by ? { performer: [{ actor: { reference: by } }] } : {}),
  };
}

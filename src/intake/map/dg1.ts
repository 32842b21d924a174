// DG1 -> Condition and Encounter.diagnosis. https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-dg1-to-condition.html
import type { CodeableConcept, Condition, Encounter, EncounterDiagnosis, Patient, Reference } from '@medplum/fhirtypes';
import type { Segment } from '../er7/message.ts';
import { readDateTime } from '../er7/timestamp.ts';
import { lookUpCoding } from '../tables.ts';
import { readConcept, systemUri } from './coded.ts';
import { digest } from './digest.ts';
import type { Identified } from './identifier.ts';
import { type Merge, mergeCarried, stampLatest } from './merge.ts';
import { readPractitioner } from './parties.ts';
import { filled, present } from './person.ts';
import type { Reading } from './reading.ts';
import { DIAGNOSIS_SYSTEM } from './systems.ts';

const STATUS = 'http://terminology.hl7.org/CodeSystem/condition-';

/**
 * Adds a Condition draft per diagnosis (one per code, also when it is given as admitting and as final) and returns
 * what Encounter.diagnosis points at them with.
 * @param visit identifier of the encounter: the same code in another stay is another Condition
 * @throws Refusal AE 102 impossible date
 */
export function draftDiagnoses(
  reading: Reading,
  subject: Reference<Patient>,
  encounter: Reference<Encounter>,
  visit: Identified,
): Encounter['diagnosis'] {
  const final = new Set<string>();
  return filled(
    reading.message.segments('DG1').map((dg1): EncounterDiagnosis | undefined => {
      const code = diagnosisCode(dg1);
      if (!code) return undefined;
      const retracted = dg1.text(21) === 'D';
      const named = dg1.text(20) || JSON.stringify([code.coding?.[0]?.system, code.coding?.[0]?.code ?? code.text]);
      const identifier = { system: DIAGNOSIS_SYSTEM, value: digest(visit.system, visit.value, named) };
      const where = { ...use(dg1), ...rank(dg1) };
      // A code that is final already is not made provisional again by being the admitting one too.
      if (final.has(identifier.value)) {
        return { condition: reading.drafts.refer<Condition>('Condition', identifier), ...where };
      }
      if (dg1.text(6) === 'F') final.add(identifier.value);
      const resource = {
        ...readCondition(dg1, reading, code, retracted),
        identifier: [identifier],
        subject,
        encounter,
      };
      const merge = mergeCondition(mergeCarried(reading.eventTime, retracted ? ['clinicalStatus'] : []), retracted);
      const condition = reading.drafts.add(stampLatest(resource, reading.eventTime), identifier, merge);
      return retracted ? undefined : { condition, ...where };
    }),
  );
}

/** A nurse may have resolved the Condition since; HL7 v2 cannot say that it is active again, so it does not. */
function mergeCondition(carried: Merge, retracted: boolean): (stored: Condition, fresh: Condition) => Condition {
  return (stored, fresh) => {
    const merged = carried(stored, fresh);
    return stored.clinicalStatus && !retracted ? { ...merged, clinicalStatus: stored.clinicalStatus } : merged;
  };
}

function readCondition(dg1: Segment, reading: Reading, code: CodeableConcept, retracted: boolean) {
  const asserter = readPractitioner(dg1.first(16), reading);
  const verification = retracted ? 'entered-in-error' : dg1.text(6) === 'F' ? 'confirmed' : 'provisional';
  return {
    resourceType: 'Condition' as const,
    // con-5: what was entered in error has no clinical status.
    ...(retracted ? {} : { clinicalStatus: status('clinical', 'active') }),
    verificationStatus: status('ver-status', verification),
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/condition-category',
            code: 'encounter-diagnosis',
            display: 'Encounter Diagnosis',
          },
        ],
      },
    ],
    code,
    ...present({
      onsetDateTime: readDateTime(dg1, 5, reading.facility.zone),
      recordedDate: readDateTime(dg1, 19, reading.facility.zone),
      asserter,
    }),
  };
}

function status(kind: 'clinical' | 'ver-status', code: string): CodeableConcept {
  return { coding: [{ system: STATUS + kind, code }] };
}

/** DG1-3, with the coding method of DG1-2 when the code names no system, and the words of DG1-4. */
function diagnosisCode(dg1: Segment): CodeableConcept | undefined {
  const code = readConcept(dg1.first(3), systemUri(dg1.text(2)));
  return code ? { ...code, text: dg1.text(4) || code.text } : present({ text: dg1.text(4) });
}

function use(dg1: Segment): Pick<EncounterDiagnosis, 'use'> {
  const coding = lookUpCoding('diagnosisType', dg1.text(6));
  return coding ? { use: { coding: [coding] } } : {};
}

function rank(dg1: Segment): Pick<EncounterDiagnosis, 'rank'> {
  return /^[1-9]\d{0,3}$/.test(dg1.text(15)) ? { rank: Number(dg1.text(15)) } : {};
}

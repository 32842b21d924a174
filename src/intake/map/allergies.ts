// IAM -> AllergyIntolerance. https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-iam-to-allergyintolerance.html
import type { AllergyIntolerance, Patient, Reference } from '@medplum/fhirtypes';
import type { Segment } from '../er7/message.ts';
import { readDateTime } from '../er7/timestamp.ts';
import table from '../tables/0127-allergen-type.json' with { type: 'json' };
import { lookUp } from '../tables.ts';
import { readConcept } from './coded.ts';
import { digest } from './digest.ts';
import { type Identified, readIdentifier } from './identifier.ts';
import { mergeCarried, stampLatest } from './merge.ts';
import { filled, present } from './person.ts';
import type { Reading } from './reading.ts';
import { ALLERGY_SYSTEM } from './systems.ts';

const STATUS = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-';

/** One draft per IAM that names an allergen; action code D (IAM-6) retracts it. */
export function draftAllergies(reading: Reading, patient: Reference<Patient>, key: Identified): void {
  for (const iam of reading.message.segments('IAM')) {
    const code = readConcept(iam.first(3));
    if (!code) continue;
    const named = iam.text(7) || JSON.stringify([code.coding?.[0]?.system, code.coding?.[0]?.code ?? code.text]);
    const identifier = { system: ALLERGY_SYSTEM, value: digest(key.system, key.value, named) };
    const retracted = iam.text(6) === 'D';
    const own = readIdentifier(iam.first(7), reading.facility.code);
    const resource: AllergyIntolerance = {
      resourceType: 'AllergyIntolerance',
      identifier: [identifier, ...(own ? [own] : [])],
      // ait-2: what was entered in error has no clinical status.
      ...(retracted ? {} : { clinicalStatus: status('clinical', 'active') }),
      verificationStatus: status('verification', retracted ? 'entered-in-error' : verification(iam)),
      code,
      patient,
      ...kindOf(iam),
      ...present({
        onsetDateTime: readDateTime(iam, 11, reading.facility.zone),
        recordedDate: readDateTime(iam, 13, reading.facility.zone),
        reaction: reactions(iam),
      }),
    };
    const merge = mergeCarried(reading.eventTime, retracted ? ['clinicalStatus'] : []);
    reading.drafts.add(stampLatest(resource, reading.eventTime), identifier, merge);
  }
}

const status = (kind: 'clinical' | 'verification', code: string) => ({ coding: [{ system: STATUS + kind, code }] });

/** IAM-17, table 0438. */
function verification(iam: Segment): string {
  const said = iam.text(17);
  return said === 'C' ? 'confirmed' : said === 'I' ? 'refuted' : 'unconfirmed';
}

function kindOf(iam: Segment): Pick<AllergyIntolerance, 'category' | 'criticality'> {
  const category = lookUp(table.categories, iam.text(2)) as 'food' | 'medication' | 'environment' | undefined;
  const criticality = lookUp(table.criticality, iam.text(4)) as 'low' | 'high' | undefined;
  return { ...(category ? { category: [category] } : {}), ...(criticality ? { criticality } : {}) };
}

function reactions(iam: Segment): AllergyIntolerance['reaction'] {
  const manifestation = filled(iam.all(5).map((field) => readConcept(field)));
  return manifestation ? [{ manifestation }] : undefined;
}

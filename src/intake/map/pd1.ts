// PD1 -> Patient.generalPractitioner: 3 the practice, 4 the clinician.
import type { Patient } from '@medplum/fhirtypes';
import { readOrganization, readPractitioner } from './parties.ts';
import { filled } from './person.ts';
import type { Reading } from './reading.ts';

export function readGeneralPractitioners(reading: Reading): Pick<Patient, 'generalPractitioner'> {
  const pd1 = reading.message.segment('PD1');
  const generalPractitioner = filled([
    ...(pd1?.all(3) ?? []).map((field) => readOrganization(field, reading)),
    ...(pd1?.all(4) ?? []).map((field) => readPractitioner(field, reading)),
  ]);
  return generalPractitioner ? { generalPractitioner } : {};
}

// Patients of Synthea who go home, one after the other: from the commit of the discharge to the commit of the plan.
import type { Bundle, Encounter } from '@medplum/fhirtypes';
import type { App } from '../../../src/app.ts';
import type { Change } from '../../../src/fhir/change.ts';
import { BATON } from '../../../src/store/store.ts';
import { syntheaBundles } from '../workloads/bundles.ts';

/** Records of a middling size; each is loaded several times, as another patient each time. */
const LARGEST = 2_000_000;
const RECORDS = 5;
const TIMES = 6;

/** Makes the patients. @returns their ids; none when the corpus is not there */
export async function loadPatients({ store }: App): Promise<string[]> {
  const records = syntheaBundles()
    .filter(({ length }) => length <= LARGEST)
    .map((text) => JSON.parse(text.toString()) as Bundle);
  const shared = records.filter((bundle) => !hasPatient(bundle));
  for (const bundle of shared) await store.commit(BATON, changesOf(bundle));
  const patients: string[] = [];
  for (const bundle of records.filter(isOfLiving).slice(-RECORDS)) {
    for (let time = 0; time < TIMES; time += 1) {
      const outcomes = await store.commit(BATON, changesOf(bundle));
      patients.push(...outcomes.flatMap(({ type, id }) => (type === 'Patient' ? [id] : [])));
    }
  }
  return patients;
}

/** Of an inpatient who went home at `end`, a FHIR instant, after four days. */
export function dischargeOf(id: string, patient: string, end: string): Encounter {
  const start = Temporal.Instant.from(end).subtract({ hours: 96 }).toString({ smallestUnit: 'second' });
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP', display: 'inpatient encounter' },
    subject: { reference: `Patient/${patient}` },
    period: { start, end },
    hospitalization: {
      dischargeDisposition: {
        coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '01' }],
      },
    },
  };
}

const patientOf = ({ entry = [] }: Bundle) =>
  entry.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Patient');
const hasPatient = (bundle: Bundle) => patientOf(bundle) !== undefined;
/** The dead begin no transition. */
const isOfLiving = (bundle: Bundle) => hasPatient(bundle) && patientOf(bundle)?.deceasedDateTime === undefined;

function changesOf({ entry = [] }: Bundle): Change[] {
  return entry.flatMap(({ resource, fullUrl, request }): Change[] =>
    resource
      ? [
          {
            op: 'create',
            resource,
            ...(fullUrl ? { fullUrl } : {}),
            ...(request?.ifNoneExist ? { ifNoneExist: request.ifNoneExist } : {}),
          },
        ]
      : [],
  );
}

// Two records of one person made one, as somebody at the hospital would do it.
import type { Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import type { Ehr } from './ehr.ts';

/** What was about `from` is about `to` afterwards. @throws Fault not-found */
export function mergePatients(ehr: Ehr, from: string, to: string): void {
  const { records } = ehr;
  const gone = records.newest('Patient', from)?.resource as Patient | undefined;
  if (!gone || records.newest('Patient', to)?.resource === undefined) {
    throw new Fault('not-found', 'Name two patients that are here: {"from": "…", "to": "…"}.');
  }
  const pointed = (resource: Resource): Resource =>
    JSON.parse(JSON.stringify(resource).replaceAll(`"Patient/${from}"`, `"Patient/${to}"`)) as Resource;
  for (const type of ehr.abilities.types()) {
    for (const { id, resource } of type === 'Patient' ? [] : records.ofPatient(type, from)) {
      if (resource) records.write(type, id, pointed(resource));
    }
  }
  const link = [{ type: 'replaced-by' as const, other: { reference: `Patient/${to}` } }];
  records.write('Patient', from, { ...gone, active: false, link });
  ehr.merged.set(from, to);
}

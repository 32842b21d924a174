// A discharge as it shows, from its Encounter. Pure but for the reading.
import type { Encounter } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { present, some } from '../present.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { isDischarged, isEmergencyDischarge } from '../transition/discharge.ts';
import { type Discharge, SETTINGS } from './discharge-schema.ts';
import { toldOf } from './told.ts';

/** The latest first; undefined when there is no such patient. */
export async function listDischarges(records: Records, patient: string): Promise<Discharge[] | undefined> {
  if (!(await records.read('Patient', patient))) return undefined;
  const stays = await records.find('Encounter', { patient: `Patient/${patient}`, status: 'finished', _sort: '-date' });
  return stays.filter((stay) => isDischarged(stay) || isEmergencyDischarge(stay)).map(viewDischarge);
}

/** Also one that was taken back; undefined when it is not of the patient. */
export async function showDischarge(records: Records, patient: string, id: string): Promise<Discharge | undefined> {
  const stay = await records.read('Encounter', id);
  return stay && idOf(stay.subject, 'Patient') === patient ? viewDischarge(stay) : undefined;
}

function viewDischarge(stay: Kept<'Encounter'>): Discharge {
  const { class: coding, period, hospitalization, reasonCode = [] } = stay;
  const setting = Object.entries(SETTINGS).find(([, { code }]) => code === coding.code)?.[0];
  return present<Discharge>({
    id: stay.id,
    version: stay.meta.versionId,
    status: stay.status ?? ('unknown' satisfies Encounter['status']),
    setting: setting ?? coding.code,
    facility: linkedOf(stay.serviceProvider),
    admitted: period?.start,
    discharged: period?.end,
    disposition: codedOf(hospitalization?.dischargeDisposition),
    reasons: some(reasonCode.flatMap((reason) => codedOf(reason) ?? [])),
    told: toldOf(stay),
  });
}

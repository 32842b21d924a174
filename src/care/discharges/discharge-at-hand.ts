// The patient and the discharge that a command is about, or why it cannot be carried out.
import { Fault } from '../../fault.ts';
import { mergedInto } from '../gone.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';

/** @throws Fault not-found; unprocessable when another record stands for the patient */
export async function patientToTellOf(records: Records, id: string): Promise<{ readonly reference: string }> {
  const patient = await records.read('Patient', id);
  if (!patient) throw new Fault('not-found', `There is no patient ${id}, or you may not see it.`);
  const survivor = mergedInto(patient);
  if (survivor === undefined) return { reference: `Patient/${id}` };
  throw new Fault('unprocessable', `The record was merged; ${survivor} stands for it.`, {
    expression: 'Patient.link',
    code: 'business-rule',
  });
}

/** @throws Fault not-found; unprocessable when the stay has not ended */
export async function dischargeAtHand(records: Records, patient: string, id: string): Promise<Kept<'Encounter'>> {
  const stay = await records.read('Encounter', id);
  if (!stay || idOf(stay.subject, 'Patient') !== patient) {
    throw new Fault('not-found', `The patient has no stay ${id}, or you may not see it.`);
  }
  if (stay.status === 'finished') return stay;
  throw new Fault('unprocessable', `The stay is ${stay.status}: there is no discharge to correct or take back.`, {
    expression: 'Encounter.status',
    code: 'business-rule',
  });
}

// The qualifications of a practitioner and what they let them sign off.
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import type { Caller, Records } from '../records.ts';
import { QualificationView, qualificationsOf } from './qualification.ts';
import { SIGN_OFFS, whatIsMissing } from './sign-off.ts';

export const PractitionerQualifications = Type.Object({
  items: Type.Array(QualificationView),
  signOffs: Type.Array(
    Type.Object({
      what: Type.String(),
      allowed: Type.Boolean(),
      missing: Type.Optional(Type.String({ description: 'Why not' })),
    }),
  ),
});
export type PractitionerQualifications = Static<typeof PractitionerQualifications>;

/** @param state two letters: where the patient would live @throws Fault not-found */
export async function listQualifications(
  records: Records,
  caller: Caller,
  id: string,
  state?: string,
): Promise<PractitionerQualifications> {
  const practitioner = await records.read('Practitioner', id);
  if (!practitioner) throw new Fault('not-found', `There is no practitioner ${id}.`);
  return {
    items: qualificationsOf(practitioner, caller.now, caller.zone).map(({ view }) => view),
    signOffs: SIGN_OFFS.map((what) => {
      const missing = whatIsMissing(practitioner, what, caller, state);
      return { what, allowed: missing === undefined, ...(missing === undefined ? {} : { missing }) };
    }),
  };
}

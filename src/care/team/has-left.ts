// Whether somebody of the staff has left the house. A Practitioner who is active in the record and all of whose roles are over
// works here no more: closing the roles is how many houses say so. One of whom no role is known stays.
import type { PractitionerRole, Reference } from '@medplum/fhirtypes';
import { parseLiteral } from '../../fhir/references.ts';
import type { Store } from '../../store/store.ts';
import { toLastInstant } from '../local-time.ts';
import type { Caller } from '../records.ts';
import { findResources, readResource } from '../stored.ts';

/** By what decides who is here: the moment, and the zone of its days. */
export type When = Pick<Caller, 'now' | 'zone'>;

export type HasLeft = (who: Reference, when: When) => Promise<boolean>;

/** @returns false as well for teams, organizations, and whom only words name */
export async function hasLeft(store: Store, { reference = '' }: Reference, when: When): Promise<boolean> {
  const { type, id } = parseLiteral(reference) ?? {};
  if (type === 'PractitionerRole') {
    const role = await readResource(store, type, id);
    if (!role || isOver(role, when)) return true;
    const person = parseLiteral(role.practitioner?.reference ?? '');
    return person?.type === 'Practitioner' && (await readResource(store, 'Practitioner', person.id))?.active === false;
  }
  if (type !== 'Practitioner') return false;
  const person = await readResource(store, type, id);
  if (!person || person.active === false) return true;
  const roles = await findResources(store, 'PractitionerRole', { practitioner: `Practitioner/${id}` });
  return roles.length > 0 && roles.every((role) => isOver(role, when));
}

/** One that begins later is not over. The last day counts as a whole. */
function isOver({ active, period }: PractitionerRole, { now, zone }: When): boolean {
  return active === false || (period?.end ? Temporal.Instant.compare(toLastInstant(period.end, zone), now) < 0 : false);
}

/** As found the first time: at one moment many follow-ups are those of a few people. */
export function remembered(hasLeft: HasLeft): HasLeft {
  const answers = new Map<string, Promise<boolean>>();
  return (who, when) => {
    const question = `${who.reference} ${when.zone}`;
    const answer = answers.get(question) ?? hasLeft(who, when);
    answers.set(question, answer);
    return answer;
  };
}

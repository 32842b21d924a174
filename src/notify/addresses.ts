// Mail addresses of who is to be told: staff, teams and organizations. Never a patient's or a relative's.
import type { CareTeam, ContactPoint, Reference } from '@medplum/fhirtypes';
import { readResource } from '../care/stored.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Store } from '../store/store.ts';

/** Each address once. */
export async function mailAddressesOf(store: Store, recipients: readonly Reference[]): Promise<string[]> {
  const found = await Promise.all(recipients.map((recipient) => addressesOf(store, recipient, true)));
  return [...new Set(found.flat())];
}

async function addressesOf(store: Store, { reference }: Reference, intoTeams: boolean): Promise<string[]> {
  const { type, id } = parseLiteral(reference ?? '') ?? {};
  switch (type) {
    case 'Practitioner':
    case 'PractitionerRole':
    case 'Organization':
      return mailOf((await readResource(store, type, id))?.telecom);
    case 'CareTeam':
      return intoTeams ? teamAddresses(store, await readResource(store, 'CareTeam', id)) : [];
    default:
      return [];
  }
}

async function teamAddresses(store: Store, team: CareTeam | undefined): Promise<string[]> {
  const members = (team?.participant ?? []).flatMap(({ member }) => (member ? [member] : []));
  const found = await Promise.all(members.map((member) => addressesOf(store, member, false)));
  const own = mailOf(team?.telecom);
  return own.length > 0 ? own : found.flat();
}

/** Those of work before others; a home address only when it is the only kind there is. */
function mailOf(telecom: readonly ContactPoint[] | undefined): string[] {
  const mail = (telecom ?? []).filter(({ system, use, value }) => system === 'email' && use !== 'old' && value);
  const work = mail.filter(({ use }) => use === 'work');
  return (work.length > 0 ? work : mail).slice(0, 1).flatMap(({ value }) => value ?? []);
}

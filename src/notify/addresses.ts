// Mail addresses of who is to be told: staff, teams and organizations. Never a patient's or a relative's, nor those of who has
// left: a team, or the house.
import type { CareTeam, ContactPoint, Extension, Reference } from '@medplum/fhirtypes';
import { isTimeZone } from '../care/local-time.ts';
import { readResource } from '../care/stored.ts';
import { hasLeft, type When } from '../care/team/has-left.ts';
import { isCurrent } from '../care/team/team-view.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Store } from '../store/store.ts';

export interface MailAddress {
  readonly address: string;
  /** Where its owner is in time, when their record says so. */
  readonly zone?: string;
}

/** https://hl7.org/fhir/extensions/StructureDefinition-timezone.html */
const TIME_ZONE = 'http://hl7.org/fhir/StructureDefinition/timezone';

/** Each address once. */
export async function mailAddressesOf(
  store: Store,
  recipients: readonly Reference[],
  when: When,
): Promise<MailAddress[]> {
  const found = await Promise.all(recipients.map((recipient) => addressesOf(store, recipient, when, true)));
  return [...new Map(found.flat().map((one) => [one.address, one])).values()];
}

async function addressesOf(
  store: Store,
  { reference }: Reference,
  when: When,
  intoTeams: boolean,
): Promise<MailAddress[]> {
  const { type, id } = parseLiteral(reference ?? '') ?? {};
  switch (type) {
    case 'Practitioner':
    case 'PractitionerRole':
    case 'Organization': {
      const found = await readResource(store, type, id);
      if (found?.active === false || (await hasLeft(store, { reference }, when))) return [];
      if (found?.resourceType === 'PractitionerRole' && !isCurrent(found, when)) return [];
      return mailOf(found?.telecom, zoneOf(found?.extension));
    }
    case 'CareTeam':
      return intoTeams ? teamAddresses(store, await readResource(store, 'CareTeam', id), when) : [];
    default:
      return [];
  }
}

async function teamAddresses(store: Store, team: CareTeam | undefined, when: When): Promise<MailAddress[]> {
  const current = (team?.participant ?? []).filter((one) => isCurrent(one, when));
  const members = current.flatMap(({ member }) => (member ? [member] : []));
  const found = await Promise.all(members.map((member) => addressesOf(store, member, when, false)));
  const own = mailOf(team?.telecom, zoneOf(team?.extension));
  return own.length > 0 ? own : found.flat();
}

/** Those of work before others; a home address only when it is the only kind there is. */
function mailOf(telecom: readonly ContactPoint[] | undefined, zone: string | undefined): MailAddress[] {
  const mail = (telecom ?? []).filter(({ system, use, value }) => system === 'email' && use !== 'old' && value);
  const work = mail.filter(({ use }) => use === 'work');
  const [chosen] = work.length > 0 ? work : mail;
  return chosen?.value ? [{ address: chosen.value, ...(zone ? { zone } : {}) }] : [];
}

/** Undefined as well when it is no zone that this machine knows. */
function zoneOf(extensions: readonly Extension[] | undefined): string | undefined {
  const zone = extensions?.find(({ url }) => url === TIME_ZONE)?.valueCode;
  return zone !== undefined && isTimeZone(zone) ? zone : undefined;
}

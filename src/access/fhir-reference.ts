// Resources that claims name: ours when they are relative or below a base URL of ours, somebody else's when they are below
// another. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data

/** Resource types that can be who uses an application. */
const PEOPLE = ['Practitioner', 'PractitionerRole', 'Patient', 'RelatedPerson', 'Person', 'Device'];
const MAX_URL_LENGTH = 512;

/**
 * @param bases FHIR base URLs whose resources are ours, without slash at the end, Baton's own first
 * @returns `Practitioner/12` for a resource of ours, the whole URL for one of another server, undefined when it is neither
 */
export function personOf(value: string, bases: readonly string[]): string | undefined {
  if (value.length > MAX_URL_LENGTH) return undefined;
  const local = localOf(value, bases);
  if (local !== undefined && isPerson(local)) return local;
  const isBelowOurs = value.startsWith(`${bases[0]}/`);
  return !isBelowOurs && isForeign(value) ? value : undefined;
}

/** @returns the id of a Patient of ours that is named as `12`, `Patient/12` or a URL; undefined for anything else */
export function patientIdOf(value: string, bases: readonly string[]): string | undefined {
  const local = localOf(value, bases) ?? '';
  return /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(local)?.[1];
}

/** The part below a base of ours; the value itself when it is no URL. */
function localOf(value: string, bases: readonly string[]): string | undefined {
  const base = bases.find((candidate) => value.startsWith(`${candidate}/`));
  if (base !== undefined) return value.slice(base.length + 1);
  return value.includes(':') ? undefined : value;
}

const isPerson = (local: string) => PEOPLE.includes(/^([A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(local)?.[1] ?? '');

/** Written the way it is understood, so that two spellings cannot be two people, nor one of them look like ours. */
function isForeign(value: string): boolean {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(value) || !URL.canParse(value)) return false;
  const { href, pathname, search, hash, username, password } = new URL(value);
  if (href !== value || search + hash + username + password !== '') return false;
  return isPerson(pathname.split('/').slice(-2).join('/'));
}

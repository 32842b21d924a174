// How what a message says joins what is stored: it replaces what it carries and keeps what others have put there. An
// older message than the newest applied one only fills gaps.
import type { Extension, Identifier, Patient, Resource } from '@medplum/fhirtypes';
import { instantOf, withInstant } from '../../fhir/event-time.ts';
import { LATEST_EVENT } from './systems.ts';

export type Merge = <R extends Resource>(stored: R, fresh: R) => R;

/** Elements with more than one type: bringing one type removes the other. */
const CHOICES = [
  'deceased',
  'multipleBirth',
  'onset',
  'abatement',
  'value',
  'effective',
  'performed',
  'occurrence',
].map((element) => new RegExp(`^${element}[A-Z]`));

/**
 * The merge of a resource of one message.
 * @param eventTime when the event of the message happened
 * @param cleared elements the message wants emptied
 */
export function mergeCarried(eventTime: Temporal.Instant, cleared: readonly string[] = []): Merge {
  return (stored, fresh) => {
    if (isOlder(stored, eventTime))
      return { ...without(fresh, carriedChoices(stored)), ...stored, ...unite(fresh, stored) };
    const isReplaced = carriedChoices(fresh);
    const kept = without(stored, (element) => cleared.includes(element) || isReplaced(element));
    return { ...kept, ...fresh, ...unite(stored, fresh), ...ownedByStore(stored) };
  };
}

/** True when a newer event has been applied to `stored` already. */
export function isOlder(stored: Resource, eventTime: Temporal.Instant): boolean {
  const newest = instantOf(stored as Patient, LATEST_EVENT);
  return newest !== undefined && Temporal.Instant.compare(eventTime, newest) < 0;
}

/** The resource with the time of the event it comes from. */
export function stampLatest<R extends Resource>(resource: R, eventTime: Temporal.Instant): R {
  return { ...resource, extension: withInstant(resource as Patient, LATEST_EVENT, eventTime) };
}

/** What a message has no say in: identity, and whether the record is in use. */
function ownedByStore(stored: Resource): Partial<Patient> {
  const { id, meta, active } = stored as Patient;
  return { id, ...(meta ? { meta } : {}), ...(active === undefined ? {} : { active }) };
}

/** Identifiers and extensions of both, the second's where they are the same. */
function unite(first: Resource, second: Resource): { identifier?: Identifier[]; extension?: Extension[] } {
  const [one, two] = [first as Patient, second as Patient];
  const keyOf = ({ system, value }: Identifier) => JSON.stringify([system, value]);
  // A number that a merge has made an old one stays that, whoever still uses it.
  const old = new Set([...(one.identifier ?? []), ...(two.identifier ?? [])].filter(isOld).map(keyOf));
  const identifier = uniteBy(one.identifier, two.identifier, keyOf).map((each) =>
    old.has(keyOf(each)) ? { ...each, use: 'old' as const } : each,
  );
  const extension = uniteBy<Extension>(one.extension, two.extension, ({ url }) => url);
  return { ...(identifier.length > 0 ? { identifier } : {}), ...(extension.length > 0 ? { extension } : {}) };
}

const isOld = ({ use }: Identifier) => use === 'old';

function uniteBy<T>(first: readonly T[] = [], second: readonly T[] = [], key: (item: T) => string): T[] {
  const byKey = new Map(first.map((item) => [key(item), item]));
  for (const item of second) byKey.set(key(item), item);
  return [...byKey.values()];
}

/** Says whether an element is a type of a choice that `resource` has. */
function carriedChoices(resource: object): (element: string) => boolean {
  const carried = CHOICES.filter((choice) => Object.keys(resource).some((element) => choice.test(element)));
  return (element) => carried.some((choice) => choice.test(element));
}

function without<T extends object>(object: T, drop: (element: string) => boolean): T {
  return Object.fromEntries(Object.entries(object).filter(([element]) => !drop(element))) as T;
}

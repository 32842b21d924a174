// When the event happened that last set what an extension is attached to, so that words that come late do not undo newer ones.
import type { Extension } from '@medplum/fhirtypes';

/**
 * On Encounter the time of what set its status (with period.end), on Encounter.period of what set its start, on
 * Encounter.hospitalization of what set the discharge disposition (or took it back), where that is not what set the status.
 * Older events never override it.
 */
export const EVENT_TIME = 'https://baton.health/fhir/StructureDefinition/event-time';

interface Extensible {
  readonly extension?: Extension[];
}

/** The instant an extension holds. */
export function instantOf(element: Extensible | undefined, url: string): Temporal.Instant | undefined {
  const value = element?.extension?.find((extension) => extension.url === url)?.valueInstant;
  return value === undefined ? undefined : Temporal.Instant.from(value);
}

/** The extensions with the one of `url` replaced where it stands, or added. */
export function withInstant(element: Extensible | undefined, url: string, instant: Temporal.Instant): Extension[] {
  const extensions = element?.extension ?? [];
  const mine: Extension = { url, valueInstant: textOf(instant) };
  const known = extensions.some((extension) => extension.url === url);
  return known ? extensions.map((extension) => (extension.url === url ? mine : extension)) : [...extensions, mine];
}

/** The element without the extension of `url`. */
export function withoutInstant<T extends Extensible>({ extension = [], ...rest }: T, url: string) {
  const others = extension.filter((each) => each.url !== url);
  return { ...rest, ...(others.length > 0 ? { extension: others } : {}) };
}

/** One event is written into all it is about; Temporal takes long to write it. */
const texts = new WeakMap<Temporal.Instant, string>();

/** FHIR instant with milliseconds. */
function textOf(instant: Temporal.Instant): string {
  const text = texts.get(instant) ?? instant.toString({ fractionalSecondDigits: 3 });
  texts.set(instant, text);
  return text;
}

// What a person adds to a resource in words.
import type { Annotation } from '@medplum/fhirtypes';
import type { Caller } from './records.ts';
import { nowOf } from './timed-input.ts';

const AUTHORS = /^(Practitioner|Patient|RelatedPerson|Organization)\//;

/** A note by the caller, now. An author of another type is named in words. */
export function annotate(text: string, caller: Caller): Annotation {
  const { reference, display } = caller.who;
  const time = nowOf(caller);
  if (reference !== undefined && AUTHORS.test(reference)) {
    return { authorReference: caller.who as Annotation['authorReference'], time, text };
  }
  const author = display ?? reference;
  return { ...(author === undefined ? {} : { authorString: author }), time, text };
}

/** The member `note`, with one more; nothing when there is nothing to add. */
export function withNote<T extends { note?: Annotation[] }>(
  resource: T,
  text: string | undefined,
  caller: Caller,
): Pick<T, 'note'> | Record<string, never> {
  return text === undefined ? {} : { note: [...(resource.note ?? []), annotate(text, caller)] };
}

// What Epic checks of a filed document besides its elements: that it is not there yet, and that it is not the client's
// thousandth today.
import type { DocumentReference } from '@medplum/fhirtypes';
import { Refusal } from './refusal.ts';

export interface DocumentDesk {
  /** @param perDay most documents a day @throws Refusal duplicate | quota */
  admit(document: DocumentReference, now: number, perDay: number): void;
  /** Counts a document that was filed. */
  filed(document: DocumentReference, now: number): void;
  forget(): void;
}

const DAY_MS = 86_400_000;

export function createDocumentDesk(): DocumentDesk {
  const known = new Set<string>();
  let today = { day: 0, filed: 0 };
  return {
    admit(document, now, perDay) {
      if (known.has(keyOf(document))) throw new Refusal('duplicate', 'This document has been filed already.');
      if (dayOf(now) === today.day && today.filed >= perDay) {
        throw new Refusal('quota', 'No more documents are taken today. Try again tomorrow.');
      }
    },
    filed(document, now) {
      known.add(keyOf(document));
      const day = dayOf(now);
      today = { day, filed: day === today.day ? today.filed + 1 : 1 };
    },
    forget() {
      known.clear();
      today = { day: 0, filed: 0 };
    },
  };
}

const dayOf = (now: number) => Math.floor(now / DAY_MS);

const keyOf = ({ subject, type, context, content }: DocumentReference) =>
  JSON.stringify([subject?.reference, type?.coding, context?.encounter, content?.map(({ attachment }) => attachment)]);

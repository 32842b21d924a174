// A response without the answers of items that do not apply.
// https://hl7.org/fhir/R4/questionnaireresponse.html#notes

import type { QuestionnaireResponse } from '@medplum/fhirtypes';
import { cloneExact } from '../../fhir/exact-json.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { enabledIn } from './enablement.ts';
import { openSession, type Surroundings } from './evaluate.ts';
import type { Form } from './form.ts';
import { within } from './places.ts';

/** @param mayGo which items; the answers of others stay, to be refused by name */
export function withoutDisabled(
  form: Form,
  given: QuestionnaireResponse,
  surroundings: Surroundings,
  mayGo: (linkId: string) => boolean,
): QuestionnaireResponse {
  const response = cloneExact(given);
  const session = openSession(form, response, surroundings);
  const isEnabled = enabledIn(session);
  const gone = withinTime(() =>
    [...within(session.places)].filter((place) => place.given && mayGo(place.item.linkId) && !isEnabled(place)),
  );
  for (const { container, given: item } of gone) {
    if (!container) continue;
    const left = (container.item ?? []).filter((one) => one !== item);
    if (left.length > 0) container.item = left;
    else delete container.item;
  }
  return response;
}

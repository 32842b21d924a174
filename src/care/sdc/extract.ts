// $extract: what a finished response says, as resources of their own, in one transaction with where they come from.
// https://hl7.org/fhir/uv/sdc/extraction.html
import type { Bundle, BundleEntry, Provenance, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { concept } from '../concept.ts';
import { derivedUrn } from '../derived-id.ts';
import { enabledIn } from './enablement.ts';
import { openSession, type Problem, type Surroundings } from './evaluate.ts';
import { extractByDefinition } from './extract-definitions.ts';
import { extractObservations } from './extract-observations.ts';
import type { Form } from './form.ts';

/** One resource to be made, or (with an id) changed. */
export interface ExtractedResource {
  readonly resource: Resource;
  /** Where in the response it comes from; the same when it is extracted again. */
  readonly key: string;
  /** Other extracted resources refer to it by this. */
  readonly fullUrl: string;
  readonly ifNoneExist?: string;
  readonly ifMatch?: string;
}

export interface Extraction {
  readonly resources: readonly ExtractedResource[];
  readonly problems: readonly Problem[];
}

/**
 * @param response finished; one that is stored is referred to by what is extracted
 * @throws Fault unprocessable when the form's expressions take too long
 */
export function extract(form: Form, response: QuestionnaireResponse, surroundings: Surroundings): Extraction {
  return withinTime(() => takeApart(form, response, surroundings));
}

function takeApart(form: Form, response: QuestionnaireResponse, surroundings: Surroundings): Extraction {
  const session = openSession(form, response, surroundings);
  const isEnabled = enabledIn(session);
  const problems: Problem[] = [];
  const name = response.id ?? JSON.stringify([response.questionnaire, response.authored, response.subject?.reference]);
  const urn = (key: string) => derivedUrn('extract', name, key);
  const observations = extractObservations(session, isEnabled, urn);
  const defined = extractByDefinition(session, isEnabled, urn, problems);
  const resources = [...observations, ...defined].map((one) => ({ ...one, fullUrl: fullUrlOf(one, urn) }));
  return { resources, problems: [...session.problems, ...problems] };
}

function fullUrlOf(one: { key: string; fullUrl?: string }, urn: (key: string) => string): string {
  return one.fullUrl ?? urn(one.key);
}

/** The transaction that stores what was extracted. */
export function toTransaction(extraction: Extraction, response: QuestionnaireResponse, now: Temporal.Instant): Bundle {
  const entry = extraction.resources.map(entryOf);
  const provenance = sourceOf(extraction, response, now);
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    ...(entry.length === 0
      ? {}
      : {
          entry: [
            ...entry,
            ...(provenance ? [{ resource: provenance, request: { method: 'POST' as const, url: 'Provenance' } }] : []),
          ],
        }),
  };
}

function entryOf({ resource, fullUrl, ifNoneExist, ifMatch }: ExtractedResource): BundleEntry {
  const { resourceType, id } = resource;
  const condition = { ...(ifNoneExist ? { ifNoneExist } : {}), ...(ifMatch ? { ifMatch } : {}) };
  return id === undefined
    ? { fullUrl, resource, request: { method: 'POST', url: resourceType, ...condition } }
    : { fullUrl, resource, request: { method: 'PUT', url: `${resourceType}/${id}`, ...condition } };
}

/**
 * Undefined when nothing was extracted, or nobody is known to have said it. The patient is a target too: what was extracted
 * adds to that record, and only so is the Provenance part of it, for $everything, roles and consents alike.
 */
export function sourceOf(
  { resources }: Extraction,
  { id, author, subject }: QuestionnaireResponse,
  now: Temporal.Instant,
): Provenance | undefined {
  if (resources.length === 0 || id === undefined || !author) return undefined;
  return {
    resourceType: 'Provenance',
    target: [
      ...resources.map(({ fullUrl }) => ({ reference: fullUrl })),
      ...(subject?.reference?.startsWith('Patient/') ? [{ reference: subject.reference }] : []),
    ],
    recorded: now.toString({ fractionalSecondDigits: 3 }),
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', 'CREATE', 'create'),
    agent: [
      {
        type: concept('http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'author', 'Author'),
        who: author,
      },
    ],
    entity: [{ role: 'source', what: { reference: `QuestionnaireResponse/${id}` } }],
  };
}

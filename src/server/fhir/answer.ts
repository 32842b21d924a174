// Answers that several interactions give: a stored version, the outcome of a write, plain JSON.
// https://hl7.org/fhir/R4/http.html#ops
import { etagOf } from '../../fhir/etag.ts';
import { httpDate } from '../../fhir/http-date.ts';
import type { Outcome, StoredVersion } from '../../store/store.ts';
import type { Answer, FhirContext } from './context.ts';
import type { Prefer } from './prefer.ts';

type Versioned = Pick<StoredVersion, 'type' | 'id' | 'versionId' | 'lastUpdated'>;

/** ETag and Last-Modified of a version. */
export function versionHeaders(version: Pick<Versioned, 'versionId' | 'lastUpdated'>): Record<string, string> {
  return { etag: etagOf(version.versionId), 'last-modified': httpDate(Temporal.Instant.from(version.lastUpdated)) };
}

/** `[base]/Task/12/_history/3` */
export function versionUrl(context: FhirContext, { type, id, versionId }: Versioned): string {
  return `${context.base()}/${type}/${id}/_history/${versionId}`;
}

/**
 * What create and update answer.
 * @param mayRead false keeps the content of an existing resource from a client that may only write
 */
export function writeAnswer(context: FhirContext, outcome: Outcome, prefer: Prefer, mayRead: boolean): Answer {
  const headers = { ...versionHeaders(outcome), location: versionUrl(context, outcome) };
  const { status } = outcome;
  if (prefer.return === 'minimal' || (!outcome.written && !mayRead)) return { status, headers };
  if (prefer.return === 'OperationOutcome') return { status, headers, body: information(sentence(outcome)) };
  return { status, headers, body: outcome.content };
}

/** An OperationOutcome that says that all is well, as JSON text. */
export function information(text: string): string {
  const issue = [{ severity: 'information', code: 'informational', details: { text } }];
  return JSON.stringify({ resourceType: 'OperationOutcome', issue });
}

function sentence({ status, written, type, id, versionId }: Outcome): string {
  if (!written) return `${type}/${id} was there already; nothing was written.`;
  return `${type}/${id} was ${status === 201 ? 'created' : 'updated'}, version ${versionId}.`;
}

// What an HTTP answer means in FHIR terms: body, version, id, clock, or why it is not a success.
import type { Bundle, OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { parseExact } from '../fhir/exact-json.ts';
import { parseHttpDate } from '../fhir/http-date.ts';
import type { AnswerMark } from './answer-mark.ts';
import { classifyStatus } from './classify.ts';
import type { HttpReply, HttpRequest } from './client.ts';
import { failure, type Result, success } from './result.ts';
import { parseRetryAfter } from './retry-after.ts';

/** A successful answer. */
export interface FhirReply {
  readonly status: number;
  readonly body?: Resource;
  /** From ETag, weak or strong, else from the body. */
  readonly versionId?: string;
  /** Id the server gave, from Location or body. */
  readonly id?: string;
  /** The server's clock. */
  readonly date?: Temporal.Instant;
  /** Of a search that is to be recognised. */
  readonly mark?: AnswerMark;
}

/** An HTTP answer as a FHIR answer or a failure. */
export function interpret(request: HttpRequest, reply: HttpReply, now: Temporal.Instant): Result<FhirReply> {
  const safe = request.safe ?? request.method === 'GET';
  const date = parseHttpDate(reply.headers.get('date') ?? '');
  const body = readResource(reply.text);
  if (reply.status < 200 || reply.status > 299) {
    const retryAfter = parseRetryAfter(reply.headers.get('retry-after'), date ?? now);
    const issues: readonly OperationOutcomeIssue[] | undefined =
      body?.resourceType === 'OperationOutcome' ? body.issue : undefined;
    return failure({
      class: classifyStatus(reply.status, safe),
      message: `The server answered ${reply.status}.`,
      status: reply.status,
      ...(issues ? { issues } : {}),
      ...(retryAfter ? { retryAfter } : {}),
    });
  }
  if (body === undefined && reply.text.trim() !== '') {
    const message = 'The server answered with something that is not a FHIR resource.';
    return failure({ class: safe ? 'transient' : 'ambiguous', message, status: reply.status });
  }
  const resource = body?.resourceType === 'OperationOutcome' && !safe ? undefined : body;
  const version = /"([^"]+)"/.exec(reply.headers.get('etag') ?? '')?.[1] ?? resource?.meta?.versionId;
  const id = /\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?\/?$/.exec(reply.headers.get('location') ?? '')?.[1];
  const known = resource?.id ?? id;
  return success({
    status: reply.status,
    ...(resource ? { body: resource } : {}),
    ...(version === undefined ? {} : { versionId: version }),
    ...(known === undefined ? {} : { id: known }),
    ...(date ? { date } : {}),
  });
}

function readResource(text: string): Resource | undefined {
  try {
    const value: unknown = parseExact(text);
    const isResource = typeof value === 'object' && value !== null && 'resourceType' in value;
    return isResource && typeof value.resourceType === 'string' ? (value as Resource) : undefined;
  } catch {
    return undefined;
  }
}

/** A success only with a body of the type. @param safe whether the request was a read */
export function expectType(reply: Result<FhirReply>, type: string, safe: boolean): Result<FhirReply> {
  if (!reply.ok || reply.value.body?.resourceType === type) return reply;
  const message = `The server answered with something else than a ${type}.`;
  return failure({ class: safe ? 'permanent' : 'ambiguous', message, status: reply.value.status });
}

export function expectBundle(reply: Result<FhirReply>, safe: boolean): Result<FhirReply & { readonly body: Bundle }> {
  const checked = expectType(reply, 'Bundle', safe);
  if (!checked.ok) return checked;
  const { body } = checked.value;
  if (body?.resourceType === 'Bundle') return success({ ...checked.value, body });
  return failure({ class: 'permanent', message: 'The server answered without a Bundle.' });
}

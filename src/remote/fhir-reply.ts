// What an HTTP answer means in FHIR terms: body, version, id, clock, or why it is not a success.
import type { Bundle, OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { parseHttpDate } from '../fhir/http-date.ts';
import { damageOf, parseReceived } from '../fhir/received-json.ts';
import { isFhirId } from '../fhir/request-url.ts';
import { saysNotOffered } from './absence.ts';
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
  /** The server led to another address, and this is what is there. */
  readonly redirected?: true;
}

/** An HTTP answer as a FHIR answer or a failure. */
export function interpret(request: HttpRequest, reply: HttpReply, now: Temporal.Instant): Result<FhirReply> {
  const safe = request.safe ?? request.method === 'GET';
  const date = parseHttpDate(reply.headers.get('date') ?? '');
  const body = readResource(reply.text);
  if (reply.status < 200 || reply.status > 299) {
    const retryAfter = parseRetryAfter(reply.headers.get('retry-after'), date ?? now);
    const issues: readonly OperationOutcomeIssue[] | undefined =
      body?.resourceType === 'OperationOutcome' && Array.isArray(body.issue) ? body.issue : undefined;
    const isNever = saysNotOffered({ status: reply.status, ...(issues ? { issues } : {}) });
    return failure({
      class: isNever ? 'permanent' : classifyStatus(reply.status, safe),
      message: `The server answered ${reply.status}${reasonsOf(issues)}.`,
      status: reply.status,
      ...(issues ? { issues } : {}),
      ...(retryAfter ? { retryAfter } : {}),
    });
  }
  if (body === undefined && reply.text.trim() !== '') {
    const message = /^\s*<(!doctype|html)/i.test(reply.text)
      ? 'The server answered with a web page instead of FHIR: perhaps a proxy or a sign-in page is in between.'
      : 'The server answered with something that is not a FHIR resource.';
    return failure({ class: safe ? 'transient' : 'ambiguous', message, status: reply.status });
  }
  const damage = body && damageOf(body);
  if (damage) {
    const message = `The server answered with a damaged resource. ${damage.why}`;
    return failure({ class: safe ? 'permanent' : 'ambiguous', message, status: reply.status });
  }
  const resource = body?.resourceType === 'OperationOutcome' && !safe ? undefined : body;
  const version = versionOf(/"([^"]+)"/.exec(reply.headers.get('etag') ?? '')?.[1] ?? resource?.meta?.versionId);
  const id = resource?.id ?? createdId(request.url, reply.headers.get('location') ?? '');
  return success({
    status: reply.status,
    ...(resource ? { body: resource } : {}),
    ...(version === undefined ? {} : { versionId: version }),
    ...(id === undefined ? {} : { id }),
    ...(date ? { date } : {}),
    ...(reply.redirected ? { redirected: true } : {}),
  });
}

/** What goes into If-Match: printable, and not without end. */
function versionOf(version: unknown): string | undefined {
  return typeof version === 'string' && /^[\x21\x23-\x7e]{1,256}$/.test(version) ? version : undefined;
}

/** Only the id of a Location counts, and only of the type that was written: nothing is ever asked for where it points. */
function createdId(url: string, location: string): string | undefined {
  const [, type, id] = /\/([A-Z][A-Za-z]+)\/([^/?#]+)(?:\/_history\/[^/?#]+)?\/?$/.exec(location) ?? [];
  const asked = new URL(url).pathname.split('/');
  return type !== undefined && asked.includes(type) && isFhirId(id) ? id : undefined;
}

function readResource(text: string): Resource | undefined {
  try {
    const value = parseReceived(text);
    const isResource = typeof value === 'object' && value !== null && 'resourceType' in value;
    return isResource && typeof value.resourceType === 'string' ? (value as Resource) : undefined;
  } catch {
    return undefined;
  }
}

/** A success only with a body of the type. @param safe whether the request was a read */
export function expectType(reply: Result<FhirReply>, type: string, safe: boolean): Result<FhirReply> {
  if (!reply.ok || reply.value.body?.resourceType === type) return reply;
  const got = reply.value.body ? 'something else than' : 'nothing instead of';
  const message = `The server answered with ${got} a ${type}.`;
  return failure({ class: safe ? 'permanent' : 'ambiguous', message, status: reply.value.status });
}

/**
 * A success only with the very resource that was asked for.
 * @param mayLead whether it may also be one that the server itself led to, as after a merge
 */
export function expectResource(
  reply: Result<FhirReply>,
  type: string,
  id: string,
  mayLead: boolean,
): Result<FhirReply> {
  const checked = expectType(reply, type, true);
  if (!checked.ok || checked.value.body?.id === id) return checked;
  if (mayLead && checked.value.redirected && isFhirId(checked.value.body?.id)) return checked;
  const message = `The server answered with another ${type} than was asked for.`;
  return failure({ class: 'permanent', message, status: checked.value.status });
}

/**
 * What a server may answer to a write: nothing, or the resource that was written.
 * @param id undefined for a create, whose id the server gives
 */
export function expectWritten(reply: Result<FhirReply>, type: string, id: string | undefined): Result<FhirReply> {
  if (!reply.ok || !reply.value.body) return reply;
  const { body, status } = reply.value;
  const right = body.resourceType === type && (id === undefined ? isFhirId(body.id) : body.id === id);
  if (right) return reply;
  const message = `The server answered the writing of a ${type} with another resource.`;
  return failure({ class: 'ambiguous', message, status });
}

export function expectBundle(reply: Result<FhirReply>, safe: boolean): Result<FhirReply & { readonly body: Bundle }> {
  const checked = expectType(reply, 'Bundle', safe);
  if (!checked.ok) return checked;
  const { body, status } = checked.value;
  if (body?.resourceType !== 'Bundle') {
    return failure({ class: 'permanent', message: 'The server answered without a Bundle.' });
  }
  if (isListOfObjects(body.link) && isListOfObjects(body.entry)) return success({ ...checked.value, body });
  const message = 'The server answered with a Bundle whose links or entries are not what R4 says.';
  return failure({ class: safe ? 'permanent' : 'ambiguous', message, status });
}

function isListOfObjects(list: unknown): boolean {
  if (list === undefined) return true;
  return Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item));
}

const MOST_REASONS = 3;
const CODE = /^[a-z][a-z-]{1,30}$/;
/** A vendor's number, such as Epic's 59144; longer ones could be a patient's. */
const NUMBER = /^\d{4,5}$/;
const PATH = /^[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*(\[\d{1,3}\])?)*$/;

/** What the issues say in codes and names of elements; their words may name a patient, so they stay in the message. */
function reasonsOf(issues: readonly unknown[] = []): string {
  const reasons = issues.slice(0, MOST_REASONS).flatMap((issue) => {
    const { code, expression, details } = fields(issue);
    const word = [code].find(like(CODE));
    const vendor = listOf(fields(details).coding)
      .map((coding) => fields(coding).code)
      .find(like(NUMBER));
    const path = listOf(expression).find(like(PATH));
    const what = [word, ...(vendor === undefined ? [] : [`(${vendor})`])].join(' ').trim();
    return what === '' ? [] : [path === undefined ? what : `${what} at ${path}`];
  });
  return reasons.length === 0 ? '' : `: ${[...new Set(reasons)].join(', ')}`;
}

const fields = (value: unknown) =>
  (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const like = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);

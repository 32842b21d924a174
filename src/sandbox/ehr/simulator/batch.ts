// Batches, whose entries stand alone, and transactions, which are all or nothing.
// https://hl7.org/fhir/R4/http.html#transaction
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { textOf } from './dress.ts';
import type { Answer, Asked, Ehr } from './ehr.ts';
import type { Version } from './records.ts';
import { Refusal, refusalBody, rowOf } from './refusal.ts';
import { findOne, removeOne, requireAbility, updateOne } from './write.ts';
import { checkWrite, readBody } from './write-checks.ts';

type One = (asked: Asked) => Promise<Answer>;

/** @param one carries out a request by itself @throws Refusal */
export async function bundleRequest(ehr: Ehr, asked: Asked, one: One): Promise<Answer> {
  const bundle = readBody(asked.body) as Bundle;
  const { type } = bundle;
  if (bundle.resourceType !== 'Bundle' || (type !== 'batch' && type !== 'transaction')) {
    throw new Refusal('syntax', 'Only a batch or a transaction can be sent here.');
  }
  if (!ehr.abilities.has(type)) throw new Refusal('not-offered', `This server takes no ${type}.`);
  const entries =
    type === 'transaction'
      ? ehr.records.atOnce(() => transact(ehr, bundle.entry ?? [], asked))
      : await batch(ehr, bundle, asked, one);
  return {
    status: 200,
    headers: {},
    body: `{"resourceType":"Bundle","type":"${type}-response","entry":[${entries.join(',')}]}`,
  };
}

async function batch(ehr: Ehr, { entry = [] }: Bundle, { allows }: Asked, one: One): Promise<string[]> {
  const answers: string[] = [];
  for (const { request, resource } of entry) {
    const [path = '', query = ''] = (request?.url ?? '').split('?');
    const asked: Asked = {
      allows,
      method: request?.method ?? 'GET',
      segments: path.split('/').filter(Boolean),
      pairs: [...new URLSearchParams(query)],
      headers: {
        ...(request?.ifMatch ? { 'if-match': request.ifMatch } : {}),
        ...(request?.ifNoneExist ? { 'if-none-exist': request.ifNoneExist } : {}),
      },
      body: resource ? JSON.stringify(resource) : '',
    };
    answers.push(batchEntry(await answered(ehr, asked, one)));
  }
  return answers;
}

async function answered(ehr: Ehr, asked: Asked, one: One): Promise<Answer> {
  try {
    return await one(asked);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { status } = rowOf(ehr.rules, error.reason);
    return { status, headers: {}, body: JSON.stringify(refusalBody(ehr.rules, error)) };
  }
}

function batchEntry({ status, headers, body }: Answer): string {
  const response = { status: String(status), location: headers.location, etag: headers.etag };
  if (body === '') return JSON.stringify({ response });
  if (status < 400) return `{"resource":${body},"response":${JSON.stringify(response)}}`;
  return JSON.stringify({ response: { ...response, outcome: JSON.parse(body) as OperationOutcome } });
}

interface Step {
  readonly entry: BundleEntry;
  readonly type: string;
  readonly id: string;
  /** Already there: a conditional create that found it. */
  readonly found: Version | undefined;
}

/** @throws Refusal, and then nothing has happened */
function transact(ehr: Ehr, entries: readonly BundleEntry[], { allows }: Asked): string[] {
  const steps = entries.map((entry) => prepare(ehr, entry, allows));
  const ids = new Map<string, string>();
  for (const { entry, type, id } of steps) if (entry.fullUrl) ids.set(entry.fullUrl, `${type}/${id}`);
  const versions: (Version | undefined)[] = steps.map(({ found }) => found);
  const posted: number[] = [];
  for (const [index, { entry, type, id, found }] of inOrder(steps)) {
    const { method, ifMatch } = entry.request ?? {};
    if (found) continue;
    if (method === 'DELETE') removeOne(ehr, type, id, ifMatch);
    else if (method === 'PUT')
      versions[index] = updateOne(ehr, type, id, pointed(entry.resource, ids), ifMatch).version;
    else {
      const resource = { ...pointed(entry.resource, ids), id } as Resource;
      versions[index] = ehr.records.write(type, id, resource);
      posted.push(index);
    }
  }
  // What they refer to may come later in the Bundle, so they are checked when all are there.
  for (const index of posted) {
    const { type, resource } = versions[index] as Version;
    checkWrite(ehr, type, resource as Resource, true);
  }
  return versions.map((version, index) => {
    if (!version) return JSON.stringify({ response: { status: '204' } });
    const { found } = steps[index] as Step;
    const { type, id, number, lastUpdated, op } = version;
    const status = found || op === 'update' ? '200' : '201';
    const response = {
      status,
      location: `${type}/${id}/_history/${number}`,
      etag: `W/"${number}"`,
      lastModified: lastUpdated,
    };
    return `{"resource":${textOf(ehr, version)},"response":${JSON.stringify(response)}}`;
  });
}

/** Deletes, then creates, then updates. https://hl7.org/fhir/R4/http.html#trules */
function inOrder(steps: readonly Step[]): [number, Step][] {
  const rank = ({ entry }: Step) => ['DELETE', 'POST', 'PUT'].indexOf(entry.request?.method ?? '');
  return [...steps.entries()].sort(([, left], [, right]) => rank(left) - rank(right));
}

function prepare(ehr: Ehr, entry: BundleEntry, allows: Asked['allows']): Step {
  const { method = 'GET', url = '', ifNoneExist } = entry.request ?? {};
  const [type = '', id] = url.split('/');
  const permit = (ability: 'create' | 'update' | 'delete') => {
    requireAbility(ehr, type, ability);
    if (!allows(type, ability))
      throw new Refusal('scope', `The scopes of the token do not cover ${ability} of ${type}.`);
  };
  if (method === 'POST' && id === undefined) {
    permit('create');
    const found = ifNoneExist === undefined ? undefined : findOne(ehr, type, ifNoneExist);
    return { entry, type, id: found?.id ?? ehr.newId(), found };
  }
  if ((method !== 'PUT' && method !== 'DELETE') || id === undefined) {
    throw new Refusal('not-offered', `${method} ${url} is not supported in a transaction.`);
  }
  permit(method === 'PUT' ? 'update' : 'delete');
  return { entry, type, id, found: undefined };
}

/** The resource with the places of the Bundle's own entries put in. */
function pointed(resource: Resource | undefined, ids: ReadonlyMap<string, string>): Resource {
  if (!resource) throw new Refusal('syntax', 'An entry of the transaction has no resource.');
  const text = JSON.stringify(resource, (_key, value: unknown) =>
    typeof value === 'string' ? (ids.get(value) ?? value) : value,
  );
  return JSON.parse(text) as Resource;
}

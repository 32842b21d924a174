// read: the current version of one resource, as the text that is stored. https://hl7.org/fhir/R4/http.html#read
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { versionOf } from '../../fhir/etag.ts';
import { parseHttpDate } from '../../fhir/http-date.ts';
import { isId } from '../../fhir/request-url.ts';
import type { StoredVersion } from '../../store/store.ts';
import { versionHeaders } from './answer.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';
import { queryWithin } from './narrow.ts';
import { reachOf } from './reach.ts';
import { explainWithheld } from './withheld.ts';

export async function read(context: FhirContext, { grant, params, pairs, headers }: FhirRequest): Promise<Answer> {
  const { type = '', id = '' } = params;
  const version = await readCurrent(context, grant, type, id);
  const fresh = versionHeaders(version);
  const { lastUpdated, patients } = version;
  if (isKnown(version, headers['if-none-match'], headers['if-modified-since'])) {
    return { status: 304, headers: fresh, lastUpdated, patients };
  }
  return { status: 200, headers: fresh, body: context.subset(pairs)(version.content), lastUpdated, patients };
}

/**
 * The current version, if the grant reaches it; of a definition that comes with Baton, unless one is stored in its place. A resource outside a narrowed grant looks like one that does not exist.
 * @throws Fault forbidden | not-found | gone
 */
export async function readCurrent(
  context: FhirContext,
  grant: Grant,
  type: string,
  id: string,
): Promise<StoredVersion> {
  const reach = reachOf(context, grant, 'read', type);
  if (!isId(id)) throw new Fault('not-found', `${type} has no resource with this id.`);
  const found = reach
    ? (await context.store.search(queryWithin(context, type, [['_id', id]], reach))).items[0]
    : await context.store.read(type, id);
  if (!found || found.operation === 'delete') {
    const brought = context.brought.has(type) && (await context.brought.read(type, id, reach));
    if (brought) return brought;
  }
  if (!found) {
    await explainWithheld(context, grant, type, id);
    throw new Fault('not-found', `There is no ${type}/${id}.`);
  }
  if (found.operation === 'delete') throw new Fault('gone', `${type}/${id} was deleted.`);
  return found;
}

/** https://hl7.org/fhir/R4/http.html#cread; If-None-Match wins over If-Modified-Since, as HTTP says. */
function isKnown(
  version: StoredVersion,
  ifNoneMatch: string | undefined,
  ifModifiedSince: string | undefined,
): boolean {
  if (ifNoneMatch !== undefined) {
    const tags = ifNoneMatch.split(',').map((tag) => tag.trim());
    return tags.some((tag) => tag === '*' || versionOf(tag, 'If-None-Match') === version.versionId);
  }
  const since = ifModifiedSince === undefined ? undefined : parseHttpDate(ifModifiedSince);
  if (!since) return false;
  const modified = Temporal.Instant.from(version.lastUpdated).round({ smallestUnit: 'second', roundingMode: 'floor' });
  return Temporal.Instant.compare(modified, since) <= 0;
}

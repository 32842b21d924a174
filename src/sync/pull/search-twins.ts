// Asks a server which of its records may be one of ours: by numbers, by name and birth date, and by its own matching where it
// offers that. What they are is decided here. https://hl7.org/fhir/R4/patient-operation-match.html
import type { Bundle } from '@medplum/fhirtypes';
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import { type Result, success } from '../../remote/result.ts';
import { isFhirId, jsonOf, resourceOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import { tokenOf } from '../patients/match.ts';

export interface RemoteRecord {
  readonly id: string;
  /** As it was received. */
  readonly body: JsonObject;
}

/** Everything that may be the one, each once; nothing when the server cannot be asked in any of the ways. */
export async function searchTwins(
  context: RunContext,
  type: string,
  local: JsonObject,
): Promise<Result<readonly RemoteRecord[]>> {
  const { client, capability, matching } = context;
  const found = new Map<string, RemoteRecord>();
  const queries = [byNumber(context, type, local)];
  const alike = type === 'Patient' && matching.rules !== undefined;
  const canMatch = alike && capability.operates(type, 'match');
  if (alike && !canMatch) queries.push(byName(context, local));
  for (const query of queries) {
    if (query === undefined) continue;
    const reply = await client.search(query);
    if (!reply.ok) return reply;
    for (const record of recordsOf(type, reply.value)) found.set(record.id, record);
  }
  if (canMatch) {
    const reply = await client.match(resourceOf(local));
    // It is offered and does not work: what the searches found still counts.
    if (!reply.ok && reply.failure.class !== 'permanent') return reply;
    if (reply.ok) for (const record of recordsOf(type, reply.value)) found.set(record.id, record);
  }
  return success([...found.values()]);
}

function byNumber({ capability }: RunContext, type: string, local: JsonObject): string | undefined {
  const tokens = (Array.isArray(local.identifier) ? local.identifier : [])
    .map(tokenOf)
    .filter((token) => token !== undefined);
  if (tokens.length === 0 || !capability.searchable(type, 'identifier')) return undefined;
  return `${type}?identifier=${tokens.map(encodeURIComponent).join(',')}`;
}

/** Only with all three: servers refuse less, and less would find half the town. */
function byName({ capability }: RunContext, { name, birthDate }: JsonObject): string | undefined {
  const first = (Array.isArray(name) ? name : []).find(isJsonObject);
  const given = Array.isArray(first?.given) ? first.given[0] : undefined;
  const family = first?.family;
  if (typeof family !== 'string' || typeof given !== 'string' || typeof birthDate !== 'string') return undefined;
  if (!['family', 'given', 'birthdate'].every((code) => capability.searchable('Patient', code))) return undefined;
  const terms = { family, given, birthdate: birthDate };
  return `Patient?${Object.entries(terms)
    .map(([code, value]) => `${code}=${encodeURIComponent(value)}`)
    .join('&')}`;
}

function recordsOf(type: string, { body }: FhirReply & { readonly body: Bundle }): RemoteRecord[] {
  return (body.entry ?? []).flatMap(({ resource, search }) => {
    const isMatch = resource?.resourceType === type && (search?.mode ?? 'match') === 'match' && isFhirId(resource.id);
    // A record that another one stands for is nobody any more.
    return isMatch && replacedBy(jsonOf(resource)) === undefined
      ? [{ id: String(resource.id), body: jsonOf(resource) }]
      : [];
  });
}

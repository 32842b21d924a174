// What became of a create whose answer was lost: looked for by our identifier, else among the patient's resources of those
// days by what was sent. Nothing is sent again before that. docs/sync-spec.md#I12
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { isJsonObject } from '../../fhir/canonical-json.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { Result } from '../../remote/result.ts';
import { isFhirId, jsonOf } from '../body.ts';
import { type RunContext, realNow } from '../context.ts';
import type { Claim } from '../push/outbox.ts';
import { end, endFailed, type PushResult } from '../push/settle-push.ts';
import { fingerprints, keyOf, numberSystem } from './projection-name.ts';
import type { Projection } from './projection-row.ts';
import { settleThere } from './projection-settle.ts';

/** More would be somebody's whole record. */
const MOST_PAGES = 20;

type Found = FhirReply & { readonly id: string };

/**
 * `absent` allows to send again.
 * @param rows of the same source, `unsure` among them
 */
export async function lookForProjection(
  context: RunContext,
  claim: Claim,
  unsure: Projection,
  rows: readonly Projection[],
): Promise<PushResult | 'absent'> {
  const found = await findSent(context, unsure, new Set(rows.flatMap(({ remoteId }) => remoteId ?? [])));
  if (found === 'cannot-look') {
    const fault = 'Whether an interrupted create had an effect cannot be found out on this server.';
    const settlement = { event: 'exhausted', fault, faultClass: 'ambiguous' } as const;
    await end(context, { claim, settlement, outcome: 'parked' });
    return 'waiting';
  }
  if (!found.ok) return endFailed(context, claim, found.failure, true);
  const [first, second] = found.value;
  if (first && second) {
    const fault = 'The remote has more than one copy of what was sent once.';
    const settlement = { event: 'exhausted', fault, faultClass: 'conflict' } as const;
    await end(context, { claim, settlement, remoteId: first.id, outcome: 'duplicate' });
    return 'waiting';
  }
  if (first) {
    // It holds what was sent then; another round compares that with what there is now.
    return settleThere(context, claim, { ...unsure, remoteId: first.id, remoteVersion: first.versionId }, rows, {
      event: 'again',
      outcome: 'adopted',
    });
  }
  const now = realNow(context);
  const visibleAfter = (claim.probedAt ?? now) + context.remote.vendor.visibilitySeconds * 1000;
  if (claim.probedAt !== undefined && now >= visibleAfter) return 'absent';
  const settlement = {
    event: 'failed',
    fault: 'An interrupted create is not visible; it is looked for once more before it is sent again.',
    faultClass: 'ambiguous',
    attempts: claim.attempts,
    nextAt: visibleAfter,
    probedAt: claim.probedAt ?? now,
  } as const;
  await end(context, { claim, settlement, outcome: 'probed' });
  return 'waiting';
}

async function findSent(
  context: RunContext,
  unsure: Projection,
  known: ReadonlySet<string>,
): Promise<Result<Found[]> | 'cannot-look'> {
  const { client, mapping } = context;
  const query = queryFor(context, unsure);
  if (query === undefined) return 'cannot-look';
  const sent = fingerprints(mapping, unsure.sent);
  const found = new Map<string, Found>();
  let reply = await client.search(query);
  for (let pages = 1; ; pages += 1) {
    if (!reply.ok) return reply;
    const { entry = [], link = [] } = reply.value.body;
    for (const { resource } of entry) {
      if (resource?.resourceType !== unsure.target || !isFhirId(resource.id) || known.has(resource.id)) continue;
      if (fingerprints(mapping, jsonOf(resource)).isDisjointFrom(sent)) continue;
      const versionId = resource.meta?.versionId;
      found.set(resource.id, { status: 200, id: resource.id, ...(versionId === undefined ? {} : { versionId }) });
    }
    const next = link.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined) return { ok: true, value: [...found.values()] };
    // Not read to the end, nothing is known.
    if (pages >= MOST_PAGES) return 'cannot-look';
    reply = await client.page(next);
  }
}

/** Undefined when the server has no search that could tell. */
function queryFor(
  { capability, mapping }: RunContext,
  { source, number, target, sent }: Projection,
): string | undefined {
  const patient = patientThere(sent);
  const ofPatient = patient !== undefined && capability.searchable(target, 'patient') ? [`patient=${patient}`] : [];
  if (capability.searchable(target, 'identifier')) {
    const token = encodeURIComponent(`${numberSystem(mapping)}|${keyOf(source)}/${number}`);
    return `${target}?${[...ofPatient, `identifier=${token}`].join('&')}`;
  }
  // Only a document says enough to be known without an identifier.
  if (ofPatient.length === 0 || target === 'ServiceRequest') return undefined;
  // A server may write down its own date; that is not before ours.
  const since =
    capability.searchable(target, 'date') && typeof sent.date === 'string' ? [`date=ge${dayBefore(sent.date)}`] : [];
  return `${target}?${[...ofPatient, ...since].join('&')}`;
}

function patientThere({ subject }: JsonObject): string | undefined {
  const reference = isJsonObject(subject) ? subject.reference : undefined;
  return typeof reference === 'string' ? /^Patient\/(.+)$/.exec(reference)?.[1] : undefined;
}

function dayBefore(instant: string): string {
  return Temporal.Instant.from(instant).subtract({ hours: 24 }).toString({ smallestUnit: 'second' });
}

// Creates resources that refer to each other: in one transaction where the server takes one, else one by one, with a
// logical reference where the target does not exist yet. docs/sync-spec.md#I15
import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { isJsonObject } from '../../fhir/canonical-json.ts';
import { speaksAgainstStatement } from '../../remote/absence.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { StoredVersion } from '../../store/store.ts';
import { resourceOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext } from '../context.ts';
import { mapReferences } from '../mapping.ts';
import { writeMessage } from '../messages/message-log.ts';
import { type Claim, underClaim } from './outbox.ts';
import { createBody, identifierQuery, pushCreate, safeMode, settleCreated } from './push-create.ts';
import { endFailed, type PushResult } from './settle-push.ts';

/** A member of the circle, with its claim. */
export interface Member {
  readonly claim: Claim;
  readonly stored: StoredVersion;
}

export async function pushCycle(context: RunContext, members: readonly Member[]): Promise<PushResult> {
  const unsure = members.some(({ claim }) => claim.faultClass === 'ambiguous');
  if (!unsure && context.capability.transaction) return createTogether(context, members);
  return createOneByOne(context, members);
}

async function createOneByOne(context: RunContext, members: readonly Member[]): Promise<PushResult> {
  let result: PushResult = 'done';
  for (const { claim, stored } of members) {
    // One that was interrupted is looked for first; the others then see its link.
    if ((await pushCreate(ownExchanges(context, claim), claim, stored)) === 'waiting') result = 'waiting';
  }
  return result;
}

async function createTogether(context: RunContext, members: readonly Member[]): Promise<PushResult> {
  const urls = new Map(members.map(({ claim }) => [claim.localId, `urn:uuid:${randomUUID()}`]));
  const entry: BundleEntry[] = [];
  for (const { claim, stored } of members) {
    const body = mapReferences(await createBody(context, stored), (reference) => {
      const { identifier, type: _type, ...rest } = reference;
      const own = isJsonObject(identifier) && identifier.system === context.mapping.ownSystem;
      const url = own && reference.resourceType === undefined ? urls.get(String(identifier.value)) : undefined;
      return url ? { ...rest, reference: url } : reference;
    });
    const conditional = (await safeMode(context, claim.type, claim.localId)) === 'if-none-exist';
    entry.push({
      fullUrl: urls.get(claim.localId) ?? '',
      resource: resourceOf(body),
      request: {
        method: 'POST',
        url: claim.type,
        ...(conditional ? { ifNoneExist: identifierQuery(context, claim.localId) } : {}),
      },
    });
  }
  const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  const [first] = members;
  const reply = await context.client.transaction(bundle, first && underClaim(first.claim));
  if (!reply.ok) {
    const { failure } = reply;
    // It takes no transactions, or one of the types: each tells for itself.
    if (failure.class !== 'ambiguous' && speaksAgainstStatement(failure)) {
      await keepExchange(context);
      return createOneByOne(context, members);
    }
    for (const { claim } of members) await endFailed(context, claim, failure, failure.class === 'ambiguous');
    return 'waiting';
  }
  let result: PushResult = 'done';
  for (const [index, { claim, stored }] of members.entries()) {
    const created = replyOf(reply.value.body.entry?.[index]);
    if ((await settleCreated(context, claim, stored, created)) === 'waiting') result = 'waiting';
  }
  return result;
}

async function keepExchange({ store, connection, runId, exchanges, ...context }: RunContext): Promise<void> {
  const about = { connection: connection.name, runId, direction: 'push', outcome: 'no-capability' } as const;
  const now = context.clock.real().epochMilliseconds;
  const messages = exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, now));
  await store.commit(actorOf(connection, runId), [], messages);
}

/** One entry of a transaction response as the answer to a create. */
function replyOf(entry: BundleEntry | undefined): FhirReply {
  const { response, resource } = entry ?? {};
  const location = /([A-Za-z0-9\-.]{1,64})(?:\/_history\/([^/]+))?\/?$/.exec(response?.location ?? '');
  const versionId = /"([^"]+)"/.exec(response?.etag ?? '')?.[1] ?? location?.[2] ?? resource?.meta?.versionId;
  const id = resource?.id ?? location?.[1];
  return {
    status: Number.parseInt(response?.status ?? '201', 10),
    ...(resource ? { body: resource } : {}),
    ...(versionId === undefined ? {} : { versionId }),
    ...(id === undefined ? {} : { id }),
  };
}

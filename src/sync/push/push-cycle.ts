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
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { mapReferences } from '../mapping.ts';
import { writeMessage } from '../messages/message-log.ts';
import { isPatientAsked } from '../patients/asked-first.ts';
import { patientUnknownThere } from '../patients/patient-known.ts';
import { type Claim, mayHaveBeenMade, NO_CAPABILITY, underClaim } from './outbox.ts';
import { createBody, identifierQuery, safeMode, settleCreated } from './push-create.ts';
import { endFailed, type PushResult } from './settle-push.ts';

/** A resource that this worker may send. */
export interface Claimed {
  readonly claim: Claim;
  /** As it is after the claim, so that nothing up to the row's sequence is missing. */
  readonly stored: StoredVersion | undefined;
}

interface Member extends Claimed {
  readonly stored: StoredVersion;
}

/** @param alone sends one of them as if there were no circle */
export async function pushCycle(
  context: RunContext,
  claimed: readonly Claimed[],
  alone: (one: Claimed) => Promise<PushResult>,
): Promise<PushResult> {
  const members = context.capability.transaction ? await readyTogether(context, claimed) : [];
  const reply = members.length === claimed.length ? await createTogether(context, members) : 'alone';
  return reply === 'alone' ? pushOneByOne(claimed, alone) : reply;
}

/** Those of which nothing has to be found out before they are made. */
async function readyTogether(context: RunContext, claimed: readonly Claimed[]): Promise<Member[]> {
  const ready: Member[] = [];
  for (const { claim, stored } of claimed) {
    if (!stored || stored.operation === 'delete' || claim.faultClass === 'ambiguous') continue;
    // Somebody else may have made it since it was found missing.
    if (await readLink(context.store, claim.connection, claim.type, claim.localId)) continue;
    if ((await mayHaveBeenMade(context.store, claim)) || (await isPatientAsked(context, stored))) continue;
    if ((await patientUnknownThere(context, stored)) !== undefined) continue;
    ready.push({ claim, stored });
  }
  return ready;
}

async function pushOneByOne(
  claimed: readonly Claimed[],
  alone: (one: Claimed) => Promise<PushResult>,
): Promise<PushResult> {
  let result: PushResult = 'done';
  for (const one of claimed) {
    // One that was interrupted is looked for first; the others then see its link.
    if ((await alone(one)) === 'waiting') result = 'waiting';
  }
  return result;
}

/** `alone`: not in this way. */
async function createTogether(context: RunContext, members: readonly Member[]): Promise<PushResult | 'alone'> {
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
    // It takes no transactions, or does not take one of them: each tells for itself.
    const isOffered = !speaksAgainstStatement(failure);
    if (failure.class === 'permanent' || (failure.class !== 'ambiguous' && !isOffered)) {
      await keepExchange(context, isOffered ? failure.class : NO_CAPABILITY);
      return 'alone';
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

async function keepExchange(
  { store, connection, runId, exchanges, ...context }: RunContext,
  outcome: string,
): Promise<void> {
  const about = { connection: connection.name, runId, direction: 'push', outcome } as const;
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

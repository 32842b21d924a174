// What would move to another patient may have moved because their records were merged there, and some servers tell of that only to
// whoever reads the old one. It is read before a person is asked. docs/sync-spec.md#I8
import { replacedBy } from '../../fhir/patient-merge.ts';
import { jsonOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLink } from '../identity.ts';
import { writeMessage } from '../messages/message-log.ts';
import { readRecord } from '../patients/read-record.ts';
import type { Incoming } from './incoming.ts';
import type { Entry } from './plan-page.ts';

/** The records of the patients from whom some of it would be taken, as far as they are merged there. */
export async function recordsTakenFrom(context: RunContext, incoming: readonly Incoming[]): Promise<Entry[]> {
  const { store, connection } = context;
  const asked = incoming.filter(({ outcome }) => outcome === 'conflict');
  const merged: Entry[] = [];
  for (const id of new Set(asked.flatMap(({ takenFrom }) => takenFrom ?? []))) {
    const link = await readLink(store, connection.name, 'Patient', id);
    const record = link?.state === 'linked' ? await readMerged(context, link.remoteId) : undefined;
    if (record) merged.push(record);
  }
  return merged;
}

async function readMerged(context: RunContext, remoteId: string): Promise<Entry | undefined> {
  const { client, exchanges, connection, runId, store } = ownExchanges(context);
  const reply = await readRecord(client, 'Patient', remoteId);
  const about = { connection: connection.name, runId, direction: 'pull', type: 'Patient', remoteId } as const;
  const messages = exchanges
    .take()
    .map((exchange) => writeMessage({ ...about, exchange, outcome: 'merged-record' }, realNow(context)));
  await store.commit(actorOf(connection, runId), [], messages);
  const body = reply.ok && reply.value.body ? jsonOf(reply.value.body) : undefined;
  if (!reply.ok || !body || replacedBy(body) === undefined) return undefined;
  return { type: 'Patient', remoteId, body, version: reply.value.versionId };
}

// Sends what is due. At least once: a process that dies between the answer and the commit sends again, under the same id. What
// a channel cannot deliver goes to the next one, and at last to the supervisor.
import type { Communication, CommunicationRequest } from '@medplum/fhirtypes';
import { concept } from '../care/concept.ts';
import { derivedId } from '../care/derived-id.ts';
import { readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { type Notice, readNotice } from './message.ts';
import {
  dueRows,
  hasOther,
  insertRow,
  type NotificationRow,
  postponeRow,
  settleRow,
  waitingFor,
} from './notification-rows.ts';
import { ACTOR, type Parts, sendUnlessEnding } from './parts.ts';
import { minutesAfter } from './post.ts';
import { rowsOf } from './route-of.ts';
import type { Channel } from './settings.ts';

const LEASE = Temporal.Duration.from({ seconds: 30 });
const MOST_PER_RUN = 500;
/** In a row: the channel is left alone until the next run. */
const MOST_FAILURES = 3;

/** @returns how many parcels have arrived; none while another process delivers */
export async function deliver(parts: Parts): Promise<number> {
  const { store, clock } = parts;
  if ((await dueRows(store, clock.real().epochMilliseconds, 1)).length === 0) return 0;
  const result = await withLease(store, clock, 'notify-deliver', LEASE, async ({ fence, signal }) => {
    const rows = await dueRows(store, clock.real().epochMilliseconds, MOST_PER_RUN);
    const byChannel = Object.values(Object.groupBy(rows, ({ channel }) => channel)) as NotificationRow[][];
    const sent = await Promise.all(byChannel.map((own) => deliverChannel(parts, own, fence, signal)));
    return sent.reduce((sum, count) => sum + count, 0);
  });
  return result.held ? result.value : 0;
}

async function deliverChannel(
  parts: Parts,
  rows: readonly NotificationRow[],
  fence: Statement,
  signal: AbortSignal,
): Promise<number> {
  const settled = new Set<string>();
  let [sent, failures] = [0, 0];
  for (const row of rows) {
    if (signal.aborted || parts.ending.aborted || failures >= MOST_FAILURES) break;
    if (settled.has(row.id)) continue;
    const gathered = await gather(parts, row);
    for (const { id } of gathered) settled.add(id);
    const arrived = await deliverRows(parts, gathered, fence);
    failures = arrived ? 0 : failures + 1;
    sent += Number(arrived);
  }
  return sent;
}

/** What goes along with a row: everything to the same address, where the channel gathers. */
async function gather({ store, settings }: Parts, row: NotificationRow): Promise<NotificationRow[]> {
  const channel = settings.channels.find(({ name }) => name === row.channel);
  if (!channel || channel.digestMinutes === 0 || row.urgent || row.attempts > 0) return [row];
  const others = await waitingFor(store, row);
  return [row, ...others.filter(({ id, urgent }) => id !== row.id && !urgent)];
}

/** @returns false when the channel failed */
async function deliverRows(parts: Parts, rows: readonly NotificationRow[], fence: Statement): Promise<boolean> {
  const { store, clock, send, settings, log, linkTo, templates } = parts;
  const [first] = rows;
  const channel = settings.channels.find(({ name }) => name === first?.channel);
  const now = () => clock.real().epochMilliseconds;
  const read = await Promise.all(rows.map((row) => readNotice(store, row, linkTo)));
  const live = rows.filter((_, at) => read[at] !== undefined);
  const over = rows.filter((row) => !live.includes(row)).map((row) => settleRow(row, 'dropped', null, now()));
  if (over.length > 0) await store.commit(ACTOR, [], [...over, fence]);
  if (!first || live.length === 0) return true;
  const ids = live.map(({ id }) => id);
  const notices = read.filter((notice): notice is Notice => notice !== undefined);
  const parcel = {
    id: ids.length === 1 ? (ids[0] ?? '') : derivedId('digest', ...ids),
    address: first.address,
    type: notices.length === 1 ? (notices[0]?.reason ?? 'other') : 'digest',
    data: { notices },
    subject: templates.subject(notices),
    text: templates.text(notices),
  };
  try {
    const deliverParcel = channel && send.get(channel.name);
    if (!deliverParcel) throw new Error(`The channel ${first.channel} is not configured any more.`);
    await sendUnlessEnding(deliverParcel, parcel, parts.ending);
  } catch (error) {
    // That we did not wait is no failure of the channel.
    if (parts.ending.aborted) return false;
    const sentence = (error as Error).message;
    log.warn({ channel: first.channel, notifications: ids, sentence }, 'a notification could not be delivered');
    for (const row of live) await fail(parts, row, channel, sentence, fence);
    return false;
  }
  for (const row of live) {
    const changes = await recordOf(parts, row, channel);
    await store.commit(ACTOR, changes, [settleRow(row, 'sent', null, now()), fence]);
  }
  return true;
}

async function fail(
  parts: Parts,
  row: NotificationRow,
  channel: Channel | undefined,
  detail: string,
  fence: Statement,
): Promise<void> {
  const { store, clock } = parts;
  const real = clock.real();
  if (channel && row.attempts + 1 < channel.attempts) {
    const minutes = minutesAfter(row.attempts);
    await store.commit(ACTOR, [], [postponeRow(row, real.add({ minutes }).epochMilliseconds, detail), fence]);
    return;
  }
  const now = real.epochMilliseconds;
  const asked = await readResource(store, 'CommunicationRequest', row.request);
  const next = asked && !(await hasOther(store, row)) ? await rowsOf(parts, asked, row.step + 1) : [];
  const inserts = next.map((one) => insertRow(one, now));
  await store.commit(ACTOR, [], [settleRow(row, 'failed', detail, now), ...inserts, fence]);
}

const MEDIA = {
  email: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', 'EMAILWRIT', 'email'),
  webhook: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', 'ELECTRONIC', 'electronic data'),
};

/** That somebody was told, for the record. Once, however often it was sent. */
async function recordOf(
  { store, clock }: Parts,
  row: NotificationRow,
  channel: Channel | undefined,
): Promise<Change[]> {
  const asked: CommunicationRequest | undefined = await readResource(store, 'CommunicationRequest', row.request);
  if (!asked) return [];
  const communication: Communication = {
    resourceType: 'Communication',
    identifier: [{ system: IDENTIFIER.notification, value: row.id }],
    basedOn: [{ reference: `CommunicationRequest/${row.request}` }],
    status: 'completed',
    ...(asked.category ? { category: asked.category } : {}),
    ...(asked.priority ? { priority: asked.priority } : {}),
    medium: [MEDIA[channel?.kind ?? 'webhook']],
    ...(asked.subject ? { subject: asked.subject as Communication['subject'] & object } : {}),
    ...(asked.about ? { about: asked.about } : {}),
    ...(asked.encounter ? { encounter: asked.encounter } : {}),
    sent: clock.now().toString({ smallestUnit: 'second' }),
    ...(asked.recipient ? { recipient: asked.recipient as NonNullable<Communication['recipient']> } : {}),
    ...(asked.reasonCode ? { reasonCode: asked.reasonCode } : {}),
  };
  const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.notification, row.id) });
  return [{ op: 'create', resource: communication, ifNoneExist: query.toString() }];
}

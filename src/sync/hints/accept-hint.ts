// Writes down what a notification hints at. When this resolves, the hint survives a crash. A number that is missing between
// two events means that a notification was lost: then the whole stream is read. docs/sync-spec.md#I32
import type { Statement } from '../../store/store.ts';
import { actorOf, pulls } from '../connections/settings.ts';
import { type ConnectionContext, realNow } from '../context.ts';
import { endHintsOf, markHint, waitingHints } from './hint-rows.ts';
import { type HintSource, heardFrom, readSources, saveSource } from './hint-sources.ts';
import { type HintedBy, type Notice, readNotice } from './read-notice.ts';

export interface HintReceipt {
  /** Resources and streams that will be read. What does not flow is none of them. */
  readonly accepted: number;
}

/** More hints for one type than this are one hint for its stream. */
const MOST_PER_TYPE = 500;
/** Subscriptions of others whose numbers are kept. */
const MOST_SOURCES = 100;

export async function acceptHint(context: ConnectionContext, notice: Notice): Promise<HintReceipt> {
  const { store, connection, remote, emit } = context;
  const { name } = connection;
  const now = realNow(context);
  const hint = readNotice(notice, remote.baseUrl);
  const flowing = Object.keys(connection.types).filter((type) => pulls(connection, type));
  const streams = new Set(hint.streams === 'all' ? flowing : hint.streams.filter((type) => flowing.includes(type)));
  const statements: Statement[] = [];
  let hasStopped: HintSource | undefined;
  if (hint.source) {
    const { missed, rows, stopped } = await follow(context, hint.source, now);
    statements.push(...rows);
    for (const type of missed === '' ? flowing : flowing.filter((one) => one === missed)) streams.add(type);
    hasStopped = stopped;
  }
  const byType = Map.groupBy(
    hint.targets.filter(({ type }) => flowing.includes(type)),
    ({ type }) => type,
  );
  let accepted = 0;
  for (const [type, targets] of byType) {
    const ids = new Set(targets.map(({ id }) => id));
    if ((await waitingHints(store, name, type)) + ids.size > MOST_PER_TYPE) {
      streams.add(type);
      continue;
    }
    accepted += ids.size;
    statements.push(...[...ids].map((id) => markHint(name, type, id, now)));
  }
  for (const type of streams) statements.push(endHintsOf(name, type), markHint(name, type, '', now));
  if (statements.length > 0) await store.commit(actorOf(connection), [], statements);
  if (hasStopped)
    emit({ kind: 'subscription', connection: name, ...(hasStopped.type ? { type: hasStopped.type } : {}) });
  return { accepted: accepted + streams.size };
}

interface Followed {
  /** Type whose stream must be read because events were missed; empty for all, undefined when none were. */
  readonly missed: string | undefined;
  readonly rows: readonly Statement[];
  /** The Subscription, when it has just stopped. */
  readonly stopped: HintSource | undefined;
}

async function follow(context: ConnectionContext, by: HintedBy, now: number): Promise<Followed> {
  const { name } = context.connection;
  const sources = await readSources(context.store, name);
  const known = sources.find(({ remoteId }) => remoteId === by.subscription);
  if (!known && sources.length >= MOST_SOURCES) return { missed: undefined, rows: [], stopped: undefined };
  const source = known ?? stranger(by, now);
  const status = by.status ?? source.status;
  const newest = Math.max(by.total ?? 0, ...by.events);
  const stops = (status === 'error' || status === 'off') && known?.status !== status;
  return {
    missed: known && hasGap(known.eventNumber, by) ? known.type : undefined,
    rows: [...(known ? [] : [saveSource(name, source)]), heardFrom(name, source.remoteId, status, newest, now)],
    stopped: stops ? source : undefined,
  };
}

/** @param last number of the newest event known; undefined when none was heard of yet */
function hasGap(last: number | undefined, { events, total }: HintedBy): boolean {
  if (last === undefined) return false;
  let reached = last;
  for (const number of events) {
    if (number > reached + 1) return true;
    reached = Math.max(reached, number);
  }
  return (total ?? 0) > reached;
}

function stranger({ subscription, status = 'active' }: HintedBy, now: number): HintSource {
  return {
    remoteId: subscription,
    type: '',
    ours: false,
    status,
    eventNumber: undefined,
    heartbeatSeconds: undefined,
    heardAt: now,
    checkedAt: now,
    endsAt: undefined,
  };
}

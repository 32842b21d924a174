// The log, entry by entry: what Subscriptions are on at this place in it, and which of them each change is an event for. The
// events of many entries, their numbers and the place in the log are one commit.
import type { Resource, Subscription } from '@medplum/fhirtypes';
import type { Grant } from '../access/grant.ts';
import { traceOf } from '../fault.ts';
import { parseExact } from '../fhir/exact-json.ts';
import type { LogEntry, Statement } from '../store/store.ts';
import { addEvent, mayKnow } from './event-rows.ts';
import { fires, type ResourceChange } from './fires.ts';
import { ACTOR, type Meaning, type Parts } from './parts.ts';
import { dropRow, liveRows, nudgeRow, readRow, type SubscriptionRow, takeRow } from './subscription-rows.ts';
import type { Wanted } from './wanted.ts';

interface Live {
  readonly row: SubscriptionRow;
  readonly wanted: Wanted;
  /** Undefined when it was taken back. */
  readonly grant: () => Promise<Grant | undefined>;
  events: number;
  /** Operations of the last events that are perhaps not committed yet, by type and id. */
  readonly recent: Map<string, LogEntry['operation']>;
}

export interface LogReader {
  /** Reads anew what is on where the cursor stands. */
  begin(): Promise<void>;
  handle(entry: LogEntry, advance: Statement): Promise<boolean>;
  /** Events that go into the next commit that moves the cursor. */
  gathered(): readonly Statement[];
  /** They are committed. */
  settled(): void;
  /** Whether anybody would be told of anything. */
  isAnyLive(): boolean;
}

export function createLogReader(parts: Parts): LogReader {
  const { store, clock, log } = parts;
  let live: Live[] = [];
  let gathered: Statement[] = [];

  const begin = async () => {
    const meaning = parts.meaning();
    const rows = await liveRows(store);
    const unread: string[] = [];
    gathered = [];
    live = rows.flatMap((row) => {
      try {
        const { authority, events } = row;
        return [
          {
            row,
            wanted: meaning.wantedBy(row.content),
            events,
            recent: new Map(),
            grant: () => parts.access.renew(authority),
          },
        ];
      } catch (error) {
        log.error({ ...traceOf(error), subscription: row.id }, 'a Subscription cannot be read');
        unread.push(row.id);
        return [];
      }
    });
    // What it asks cannot be asked any more: deliver.ts turns it off and says so.
    const now = clock.real().epochMilliseconds;
    if (unread.length > 0)
      await store.commit(
        ACTOR,
        [],
        unread.map((id) => nudgeRow(id, now)),
      );
  };

  const takeUp = async (entry: LogEntry, advance: Statement): Promise<boolean> => {
    const { id, versionId, operation, content } = entry;
    const version = Number(versionId);
    const now = clock.real().epochMilliseconds;
    if (!(await readRow(store, id))) return false;
    const statements = operation === 'delete' ? dropRow(id, version) : [takeRow(takenFrom(id, version, content), now)];
    await store.commit(ACTOR, [], [...gathered, ...statements, advance]);
    await begin();
    return true;
  };

  return {
    begin,
    isAnyLive: () => live.length > 0,
    gathered: () => gathered,
    settled() {
      gathered = [];
    },
    async handle(entry, advance) {
      if (entry.type === 'Subscription') return takeUp(entry, advance);
      const concerned = live.filter(({ wanted }) => wanted.types.includes(entry.type));
      if (concerned.length === 0) return false;
      const meaning = parts.meaning();
      const change = await changeOf(parts, entry);
      const told: Live[] = [];
      for (const one of concerned) {
        if (isEvent(one.wanted, change, meaning) && (await maySee(parts, one, entry))) told.push(one);
      }
      const now = clock.real().epochMilliseconds;
      for (const one of told) {
        one.events += 1;
        one.recent.set(keyOf(entry), entry.operation);
        gathered.push(...addEvent(one.row.id, one.events, entry, now));
      }
      return false;
    },
  };
}

const keyOf = ({ type, id }: LogEntry) => `${type}/${id}`;

function takenFrom(id: string, version: number, content: string) {
  const { status, end } = JSON.parse(content) as Subscription;
  const endsAt = end === undefined ? undefined : Temporal.Instant.from(end).epochMilliseconds;
  return { id, version, status, content, endsAt };
}

async function changeOf(
  { store }: Parts,
  { type, id, versionId, operation, content }: LogEntry,
): Promise<ResourceChange> {
  const resource = (text: string) => (text === '' ? undefined : parseExact<Resource>(text));
  const before = Number(versionId) > 1 ? await store.vread(type, id, String(Number(versionId) - 1)) : undefined;
  return { type, operation, current: resource(content), previous: resource(before?.content ?? '') };
}

function isEvent({ topic, filters }: Wanted, change: ResourceChange, { matcher, rules }: Meaning): boolean {
  // Plain R4 tells of what matches, not of what goes. https://hl7.org/fhir/R4/subscription.html
  if (!topic && change.operation === 'delete') return false;
  const about = change.current ?? change.previous;
  if (!about || !matcher.matches(about, filters.get(change.type) ?? [])) return false;
  return topic?.resourceTrigger.some((trigger) => fires(trigger, change, matcher, rules.read)) ?? true;
}

/** As a read would, now. Of what is deleted: whoever may see all of the type, or was told of it before. */
async function maySee({ store, clock, sight }: Parts, { row, grant, recent }: Live, entry: LogEntry): Promise<boolean> {
  const seeing = await grant();
  if (!seeing) {
    // deliver.ts turns it off and says why.
    await store.commit(ACTOR, [], [nudgeRow(row.id, clock.real().epochMilliseconds)]);
    return false;
  }
  if (sight.reachesAll(seeing, entry.type)) return true;
  if (entry.operation === 'delete') {
    const last = recent.get(keyOf(entry));
    return last === undefined ? mayKnow(store, row.id, entry) : last !== 'delete';
  }
  return (await sight.read(seeing, entry.type, entry.id)) !== undefined;
}

// One stream of everything about the patient of a case, newest first: the sources are read a little at a time and merged, so
// that a page costs what it shows, however much there is.
import { Fault } from '../../fault.ts';
import { readCase } from '../cases/find-cases.ts';
import { statusEntries } from '../cases/status-entries.ts';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { toInstant } from '../local-time.ts';
import type { Kept, PagedRecords } from '../records.ts';
import { idOf } from '../stored.ts';
import { followUpSteps } from './follow-up-steps.ts';
import { type Position, readPositions, writePositions } from './positions.ts';
import { type Said, SOURCES, type Source } from './sources.ts';
import { KINDS, type Kind, type Timeline, type TimelineEntry, type TimelineQuery } from './timeline-schema.ts';

const PAGE = 50;
/** Resources of one source that are read at a time. */
const CHUNK = 25;
/** What is told when it is asked for: there is an entry for every version of everything. */
const ASKED: ReadonlySet<Kind> = new Set(['change', 'step']);
const UNASKED: readonly Kind[] = KINDS.filter((kind) => !ASKED.has(kind));

/**
 * Undefined when there is no such case, or the caller may not see it.
 * @throws Fault invalid for a kind that there is not, or a cursor that is none
 */
export async function readTimeline(
  records: PagedRecords,
  id: string,
  query: TimelineQuery,
): Promise<Timeline | undefined> {
  const episode = await readCase(records, id);
  if (!episode) return undefined;
  const patient = idOf(episode.patient, 'Patient') ?? '';
  const kinds = kindsIn(query);
  const sources = SOURCES.filter((source) => source.kinds.some((kind) => kinds.has(kind)));
  const at = query.after === undefined ? new Map<string, Position>() : readPositions(query.after);
  const streams = [
    ...(kinds.has('case-status')
      ? [fixedStream('case-status', statusEntries(episode).map(placed), at.get('case-status'))]
      : []),
    ...(kinds.has('step') ? [fixedStream('step', await stepsOf(records, patient), at.get('step'))] : []),
    ...sources.map((source) => pagedStream(records, source, patient, kinds, at.get(source.type))),
  ];
  const items = await merge(streams, query.limit ?? PAGE);
  const more = streams.some(({ ended }) => !ended());
  const next = more ? writePositions(new Map(streams.map((stream) => [stream.name, stream.position()]))) : undefined;
  return { items, ...(next === undefined ? {} : { next }) };
}

/** Newest first. */
async function stepsOf(records: PagedRecords, patient: string): Promise<Placed[]> {
  const steps = await followUpSteps(records, patient);
  const all = steps.map(({ said, reference }) => placed(entryOf(said, reference)));
  // Of one moment the later version comes first.
  return all.toReversed().toSorted((a, b) => b.time - a.time);
}

/** @throws Fault invalid */
function kindsIn({ kind }: TimelineQuery): ReadonlySet<Kind> {
  if (kind === undefined) return new Set(UNASKED);
  const asked = kind.split(',');
  const unknown = asked.find((each) => !KINDS.some((known) => known === each));
  if (unknown === undefined) return new Set(asked as Kind[]);
  throw new Fault('invalid', `kind must be of ${KINDS.join(', ')}.`, { expression: 'kind', code: 'value' });
}

interface Placed {
  readonly entry: TimelineEntry;
  /** Milliseconds since 1970; what has no time comes last. */
  readonly time: number;
}

/** One source, newest first. */
interface Stream {
  readonly name: string;
  /** The next entry; undefined at the end. */
  peek(): Promise<Placed | undefined>;
  take(): void;
  /** What the next page goes on from. */
  position(): Position;
  ended(): boolean;
}

async function merge(streams: readonly Stream[], limit: number): Promise<TimelineEntry[]> {
  const heads = await Promise.all(streams.map((stream) => stream.peek()));
  const items: TimelineEntry[] = [];
  while (items.length < limit) {
    let newest = -1;
    for (const [index, head] of heads.entries()) {
      const best = heads[newest];
      if (head && (!best || head.time > best.time)) newest = index;
    }
    const [head, stream] = [heads[newest], streams[newest]];
    if (!head || !stream) break;
    items.push(head.entry);
    stream.take();
    heads[newest] = await stream.peek();
  }
  return items;
}

function pagedStream(
  records: PagedRecords,
  { type, patient: parameter, date, search = {}, entry }: Source,
  patient: string,
  kinds: ReadonlySet<Kind>,
  from: Position | undefined,
): Stream {
  /** Undefined where another source tells of it. */
  let chunk: readonly (Placed | undefined)[] | undefined;
  /** Of the chunk, and of the one behind it. */
  let cursor = from?.after;
  let behind: string | undefined;
  let taken = from?.taken ?? 0;
  let isEnded = from?.ended ?? false;

  async function load(): Promise<void> {
    const criteria = { ...search, [parameter]: `Patient/${patient}`, _sort: `-${date}` };
    const page = await readPage(records, type, criteria, cursor);
    behind = page.next;
    chunk = page.items.map((resource) => {
      const said = entry(resource as never);
      return said && placed(entryOf(said, `${type}/${resource.id}`));
    });
  }

  return {
    name: type,
    async peek() {
      while (!isEnded) {
        if (!chunk) await load();
        const list = chunk ?? [];
        const isShown = (one: Placed | undefined) => one !== undefined && kinds.has(one.entry.kind);
        while (taken < list.length && !isShown(list[taken])) taken += 1;
        if (taken < list.length) return list[taken];
        if (behind === undefined) isEnded = true;
        else [cursor, behind, chunk, taken] = [behind, undefined, undefined, 0];
      }
      return undefined;
    },
    take() {
      taken += 1;
    },
    position: () => ({ ...(cursor === undefined ? {} : { after: cursor }), taken, ended: isEnded }),
    ended: () => isEnded,
  };
}

/** What the caller may see nothing of is not in their timeline. */
async function readPage(
  records: PagedRecords,
  type: Source['type'],
  search: Record<string, string | readonly string[]>,
  after?: string,
) {
  try {
    return await records.page(type, search, { most: CHUNK, after });
  } catch (error) {
    if (error instanceof Fault && error.kind === 'forbidden')
      return { items: [] as Kept<typeof type>[], next: undefined };
    throw error;
  }
}

function fixedStream(name: string, entries: readonly Placed[], from: Position | undefined): Stream {
  let taken = from?.ended ? entries.length : (from?.taken ?? 0);
  return {
    name,
    peek: async () => entries[taken],
    take() {
      taken += 1;
    },
    position: () => ({ taken, ended: taken >= entries.length }),
    ended: () => taken >= entries.length,
  };
}

function entryOf({ kind, when, what, code, status, stage, who }: Said, reference: string): TimelineEntry {
  const [coded, by] = [codedOf(code), linkedOf(who)];
  return {
    kind,
    ...(when === undefined ? {} : { when }),
    what: what ?? reference.split('/')[0] ?? kind,
    ...(coded ? { code: coded } : {}),
    ...(status === undefined ? {} : { status }),
    ...(stage === undefined ? {} : { stage }),
    ...(by ? { who: by } : {}),
    reference,
  };
}

/** As the store sorts: a date counts from its beginning in UTC. */
function placed(entry: TimelineEntry): Placed {
  const time = entry.when === undefined ? Number.NEGATIVE_INFINITY : toInstant(entry.when, 'UTC').epochMilliseconds;
  return { entry, time };
}

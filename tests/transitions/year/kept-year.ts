// A lived year on disk: what was told and done, when Baton swept, and the store's log. It can be judged again without being
// lived again.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { LogEntry, Store } from '../../../src/store/store.ts';
import type { Happening, Record } from './drive.ts';
import type { Person } from './story.ts';

/** A version of a resource as the log tells of it. */
export type Entry = Pick<LogEntry, 'type' | 'id' | 'versionId' | 'lastUpdated' | 'operation' | 'content'>;

export interface LivedYear {
  readonly people: readonly Person[];
  readonly record: Record;
}

/** What the year is judged by. */
const JUDGED = new Set(['Encounter', 'EpisodeOfCare', 'CarePlan', 'CareTeam', 'Task', 'CommunicationRequest']);

/** In the order of the log. */
export async function* entriesOf(store: Store): AsyncGenerator<Entry> {
  for (let after = 0; ; ) {
    const entries = await store.readLog(after, 1_000);
    for (const { type, id, versionId, lastUpdated, operation, content } of entries) {
      if (JUDGED.has(type)) yield { type, id, versionId, lastUpdated, operation, content };
    }
    const last = entries.at(-1);
    if (!last) return;
    after = last.sequence;
  }
}

/** Writes the year into a folder, which it makes. */
export async function keepYear(folder: string, { people, record }: LivedYear, entries: AsyncIterable<Entry>) {
  await mkdir(folder, { recursive: true });
  const { happenings, ...counts } = record;
  await writeFile(join(folder, 'year.json'), JSON.stringify({ people, ...counts }));
  await writeLines(join(folder, 'happenings'), happenings);
  await writeLines(join(folder, 'log'), entries);
}

export async function readYear(folder: string): Promise<LivedYear & { readonly entries: AsyncIterable<Entry> }> {
  const { people, ...counts } = JSON.parse(await readFile(join(folder, 'year.json'), 'utf8'));
  if (typeof counts.slot !== 'number') throw new Error(`The year in ${folder} does not say how long its slots were.`);
  const happenings: Happening[] = [];
  for await (const one of readLines<Happening>(join(folder, 'happenings'))) happenings.push(one);
  return { people, record: { ...counts, happenings }, entries: readLines<Entry>(join(folder, 'log')) };
}

async function writeLines(path: string, items: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> {
  async function* lines() {
    for await (const item of items) yield `${JSON.stringify(item)}\n`;
  }
  await pipeline(Readable.from(lines()), createZstdCompress(), createWriteStream(`${path}.ndjson.zst`));
}

async function* readLines<T>(path: string): AsyncGenerator<T> {
  const input = createReadStream(`${path}.ndjson.zst`).pipe(createZstdDecompress());
  for await (const line of createInterface({ input })) yield JSON.parse(line);
}

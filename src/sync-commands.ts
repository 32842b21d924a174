// The `baton conflicts`, `messages`, `replay` and `preview` commands: what /ops does, for people at a terminal.
import { readFileSync } from 'node:fs';
import { Fault } from './fault.ts';
import type { Json, JsonObject } from './fhir/canonical-json.ts';
import type { ElementDifference } from './fhir/element-diff.ts';
import { parseExact } from './fhir/exact-json.ts';
import { parseLiteral } from './fhir/references.ts';
import type { Actor, Store } from './store/store.ts';
import type { ElementView } from './sync/conflicts/element-view.ts';
import type { Resolution } from './sync/conflicts/resolve.ts';
import { findMessages, readMessage } from './sync/messages/message-search.ts';
import type { ReplayResult } from './sync/messages/replay.ts';
import { MOST_REPLAYS, type SyncOperations } from './sync/operations.ts';
import type { Sync } from './sync/sync.ts';

export interface SyncCommandParts {
  readonly sync: Pick<Sync, 'conflicts' | 'status' | keyof SyncOperations>;
  readonly store: Store;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

/** As given on the command line. */
export interface SyncOptions {
  readonly take?: string | undefined;
  readonly file?: string | undefined;
  readonly from?: string | undefined;
  readonly limit?: string | undefined;
  /** The tag of a conflict, as `conflicts show` prints it. */
  readonly seen?: string | undefined;
  readonly 'dry-run'?: boolean | undefined;
}

/** What `parseArgs` is told of them; `from` is known already. */
export const SYNC_OPTIONS = {
  take: { type: 'string' },
  file: { type: 'string' },
  limit: { type: 'string' },
  seen: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

export interface SyncCommand {
  readonly words: string;
  readonly does: string;
  run(parts: SyncCommandParts, words: readonly string[], options: SyncOptions): Promise<void>;
}

export const SYNC_COMMANDS: readonly SyncCommand[] = [
  {
    words: 'conflicts show',
    does: 'show conflict ID, element by element',
    run: (parts, [id]) => showConflict(parts, named(id, 'the conflict')),
  },
  {
    words: 'conflicts resolve',
    does: 'decide conflict ID --take ours|theirs|proposed or --file edited.json   [--seen TAG] [--dry-run]',
    run: (parts, [id], options) => resolveConflict(parts, named(id, 'the conflict'), options),
  },
  {
    words: 'conflicts list',
    does: 'list what waits for a person   [CONNECTION]',
    run: (parts, [connection]) => listConflicts(parts, connection),
  },
  {
    words: 'conflicts',
    does: 'the same as `conflicts list`',
    run: (parts, [connection]) => listConflicts(parts, connection),
  },
  {
    words: 'messages show',
    does: 'show message ID whole',
    async run({ sync, actor, store, print }, [id]) {
      print(JSON.stringify(await sync.message(named(id, 'the message')), undefined, 2));
      record({ actor, store }, 'message', 'R', { id });
    },
  },
  {
    words: 'messages',
    does: 'list exchanges, the newest first: connection=ehr class=permanent since=2026-11-24T08:00:00Z …   [--limit 50]',
    run: listMessages,
  },
  {
    words: 'replay',
    does: 'repeat message ID, or those of a filter as in `messages`   [--dry-run] [--from stored] [--limit 100]',
    run: replay,
  },
  {
    words: 'preview',
    does: 'show what a push of CONNECTION Type/id would send and change, and why',
    run: preview,
  },
];

async function listConflicts(parts: SyncCommandParts, connection: string | undefined): Promise<void> {
  const { sync, print } = parts;
  if (connection !== undefined) await requireConnection(parts, connection);
  const found = await sync.conflicts(connection);
  record(parts, 'conflicts', 'R', { query: connection === undefined ? '' : queryOf({ connection }) });
  for (const { id, connection: name, type, localId, kind, openedAt, paths } of found) {
    const elements = paths.map(({ path }) => path).join(', ');
    print(`${id}  ${name}  ${type}/${localId}  ${kind}  ${instant(openedAt)}  ${elements}`.trimEnd());
  }
}

/** @throws Fault not-found */
async function requireConnection({ sync }: SyncCommandParts, word: string): Promise<void> {
  const names = (await sync.status()).map(({ name }) => name);
  if (names.includes(word)) return;
  const there = names.length === 0 ? 'There is none.' : `There is: ${names.join(', ')}.`;
  throw new Fault('not-found', `There is no connection "${word}". ${there} \`conflicts\` can: list, show, resolve.`);
}

async function showConflict({ sync, actor, store, print }: SyncCommandParts, id: string): Promise<void> {
  const conflict = await sync.conflict(id);
  const { connection, type, localId, localVersion, remoteId, remoteVersion, kind, state, openedAt } = conflict;
  print(`${id}  ${connection}  ${kind}  ${state}  since ${instant(openedAt)}`);
  print(`here ${type}/${localId}${versioned(localVersion)}  there ${type}/${remoteId}${versioned(remoteVersion)}`);
  if (state === 'open') print(`as seen now: --seen ${conflict.tag}`);
  if (conflict.resolution) print(`decided ${conflict.resolution} by ${conflict.resolvedBy}`);
  printElements(print, conflict.elements);
  record({ actor, store }, 'conflict', 'R', { id });
}

async function resolveConflict(parts: SyncCommandParts, id: string, options: SyncOptions): Promise<void> {
  const { sync, actor, store, print } = parts;
  const resolution = resolutionOf(options);
  if (options['dry-run']) {
    const { here, there } = await sync.forecast(actor, id, resolution, options.seen);
    record({ actor, store }, 'resolve', 'E', { id });
    print(`here   ${here.outcome}`);
    printChanges(print, here.differences);
    print(`there  ${there.outcome}`);
    printChanges(print, there.differences);
    return;
  }
  await sync.resolve(actor, id, resolution, options.seen);
  record({ actor, store }, 'resolve', 'E', { id });
  print(`Conflict ${id} is resolved: ${resolution.take}. It is sent with the next push.`);
}

/** @throws Fault invalid */
function resolutionOf({ take, file }: SyncOptions): Resolution {
  if (take === undefined && file !== undefined) return { take: 'edited', body: readBody(file) };
  if (file === undefined && (take === 'ours' || take === 'theirs' || take === 'proposed')) return { take };
  throw new Fault(
    'invalid',
    'Say --take ours, theirs or proposed, or give --file with the body both sides shall have.',
  );
}

async function listMessages(parts: SyncCommandParts, words: readonly string[], options: SyncOptions): Promise<void> {
  const filter = filterOf(words);
  const found = await findMessages(parts.store, filter, numberOf(options.limit, 50));
  record(parts, 'messages', 'R', { query: queryOf(filter) });
  if (found.length === 0) parts.print(await nothingFound(parts, filter));
  for (const message of found) {
    const { id, at, connection, direction, type = '', localId, remoteId, method = '', status = '' } = message;
    const about = `${type}${localId || remoteId ? `/${localId ?? remoteId}` : ''}`;
    const did = [method, status].filter((part) => part !== '').join(' ');
    const line = [id, instant(at), connection, direction, about, did, message.outcome, message.class];
    parts.print(line.filter((part) => part !== '').join('  '));
  }
}

/** Messages outlive their connection, so a name that is none is a hint only. */
async function nothingFound(
  { sync }: SyncCommandParts,
  { connection }: Readonly<Record<string, string>>,
): Promise<string> {
  const none = 'No message matches.';
  if (connection === undefined) return none;
  const names = (await sync.status()).map(({ name }) => name);
  return names.includes(connection) ? none : `${none} There is no connection "${connection}".`;
}

async function replay(parts: SyncCommandParts, words: readonly string[], options: SyncOptions): Promise<void> {
  const { sync, actor, store, print } = parts;
  const { from = 'remote', 'dry-run': dryRun = false } = options;
  if (from !== 'remote' && from !== 'stored') throw new Fault('invalid', '--from is remote or stored.');
  const [first] = words;
  if (first === undefined) throw new Fault('invalid', 'Name a message, or a filter such as class=permanent.');
  const limit = numberOf(options.limit, 100);
  const results = first.includes('=')
    ? await sync.replay(actor, filterOf(words), { dryRun, from, limit })
    : [await sync.replayMessage(actor, (await readMessage(store, first)).id, { dryRun, from })];
  record({ actor, store }, 'replay', 'E', first.includes('=') ? { query: queryOf(filterOf(words)) } : { id: first });
  for (const result of results) printReplay(print, result);
  if (results.length === 0) print('No message matches.');
}

function printReplay(print: SyncCommandParts['print'], result: ReplayResult): void {
  const { message, about = '', outcome, detail, differences = [] } = result;
  print([message, about, outcome, detail ?? ''].filter((part) => part !== '').join('  '));
  printChanges(print, differences);
}

async function preview(parts: SyncCommandParts, [connection, ref = '']: readonly string[]): Promise<void> {
  const { sync, actor, store, print } = parts;
  const target = parseLiteral(ref);
  if (connection === undefined || !target)
    throw new Fault('invalid', 'Name the connection and a resource: ehr Task/12.');
  const seen = await sync.preview(connection, target.type, target.id);
  const { outcome, remote, comparedWith, openConflict, detail, body, elements, differences } = seen;
  print(`${ref}${remote ? `, there ${remote}` : ''}: ${outcome}${detail ? `. ${detail}` : ''}`);
  if (comparedWith !== 'nothing')
    print(`compared with ${comparedWith === 'remote' ? 'what is there now' : 'what was there last'}`);
  if (openConflict) print(`conflict ${openConflict} waits for a person`);
  printElements(print, elements);
  if (elements.length === 0) printChanges(print, differences);
  if (body) print(`\n${JSON.stringify(body, undefined, 2)}`);
  record({ actor, store }, 'preview', 'R', { id: target.id });
}

function printElements(print: SyncCommandParts['print'], elements: readonly ElementView[]): void {
  for (const { path, base, ours, theirs, proposed, changedBy, decidedBy, why } of elements) {
    const rule = decidedBy.rule === undefined ? decidedBy.kind : `${decidedBy.preference} (${decidedBy.rule})`;
    print(`\n${why === undefined ? ' ' : '!'} ${path}   changed by ${changedBy}: ${rule}`);
    for (const [side, value] of Object.entries({ base, ours, theirs, proposed }))
      print(`    ${side.padEnd(9)} ${short(value)}`);
    if (why !== undefined) print(`    ${why}`);
  }
}

function printChanges(print: SyncCommandParts['print'], differences: readonly ElementDifference[]): void {
  for (const { path, values } of differences) {
    print(`    ${path}`);
    print(`      - ${short(values[0])}`);
    print(`      + ${short(values[1])}`);
  }
}

const short = (value: Json | undefined) => (value === undefined ? '(none)' : JSON.stringify(value));
const versioned = (version: string | undefined) => (version === undefined ? '' : ` version ${version}`);
const instant = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toString({ smallestUnit: 'second' });

/** `name=value` words. @throws Fault invalid */
function filterOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([A-Za-z_]+)=(.+)$/.exec(word) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new Fault('invalid', `"${word}" is no filter; write name=value, such as connection=ehr.`);
    }),
  );
}

function numberOf(text: string | undefined, otherwise: number): number {
  const limit = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_REPLAYS) return limit;
  throw new Fault('invalid', `--limit is a whole number from 1 to ${MOST_REPLAYS}.`);
}

function named(word: string | undefined, what: string): string {
  if (word === undefined) throw new Fault('invalid', `Name ${what} by its id.`);
  return word;
}

/** @throws Fault invalid */
function readBody(file: string): JsonObject {
  const text = readText(file);
  try {
    const body = parseExact<JsonObject>(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  } catch (cause) {
    throw new Fault('invalid', `${file} cannot be read as JSON.`, { cause });
  }
  throw new Fault('invalid', `${file} is no resource.`);
}

/** @throws Fault invalid */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Fault('invalid', isMissing ? `There is no file ${file}.` : `${file} cannot be read.`, { cause });
  }
}

/** The trail tells of the terminal what it tells of /ops. */
function record(
  { actor, store }: Pick<SyncCommandParts, 'actor' | 'store'>,
  name: string,
  action: 'R' | 'E',
  { id, query = '' }: { readonly id?: string | undefined; readonly query?: string },
): void {
  store.audit({
    actor,
    interaction: `ops-${name}`,
    action,
    status: 200,
    ...(id === undefined ? {} : { id }),
    ...(query === '' ? {} : { query }),
    patients: [],
  });
}

const queryOf = (filter: Record<string, string>) => new URLSearchParams(filter).toString();

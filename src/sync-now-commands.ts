// The `sync` commands: push or pull now, and say in a sentence for each connection what came of it.
import { Fault } from './fault.ts';
import type { Actor, AuditRecord } from './store/store.ts';
import type { ConnectionStatus } from './sync/status.ts';
import type { Sync } from './sync/sync.ts';

export interface SyncNowParts {
  readonly sync: Pick<Sync, 'status' | 'pushNow' | 'pullNow'>;
  readonly audit: (record: AuditRecord) => void;
  readonly actor: Actor;
  readonly now: () => Temporal.Instant;
  readonly print: (text: string) => void;
}

export interface SyncNowCommand {
  readonly words: string;
  readonly does: string;
  /** False when something of it could not be done. @throws Fault not-found | invalid */
  run(parts: SyncNowParts, words: readonly string[]): Promise<boolean>;
}

type Direction = 'push' | 'pull';

interface Verdict {
  readonly done: boolean;
  readonly sentence: string;
}

export const SYNC_NOW_COMMANDS: readonly SyncNowCommand[] = [
  { words: 'sync push', does: 'send what is due   [NAME]', run: (parts, words) => runNow(parts, 'push', words) },
  { words: 'sync pull', does: 'fetch what is new   [NAME]', run: (parts, words) => runNow(parts, 'pull', words) },
];

async function runNow(parts: SyncNowParts, direction: Direction, words: readonly string[]): Promise<boolean> {
  const { sync, audit, actor, now, print } = parts;
  const [name, ...more] = words;
  if (more.length > 0)
    throw new Fault('invalid', `Name one connection, or none for all of them; not "${more[0]}", too.`);
  const began = now().epochMilliseconds;
  await (direction === 'push' ? sync.pushNow(name) : sync.pullNow(name));
  const looked = (await sync.status()).filter((one) => name === undefined || one.name === name);
  if (looked.length === 0) print('There is no connection.');
  let done = true;
  for (const status of looked) {
    const verdict = verdictOf(status, direction, began);
    // Who asks for all of them knows that those that are off stay so.
    done &&= verdict.done || (name === undefined && !runs(status, direction));
    print(`${status.name}  ${verdict.sentence}`);
    audit({ actor, interaction: `ops-${direction}`, action: 'E', status: 200, id: status.name });
  }
  return done;
}

const runs = ({ mode }: ConnectionStatus, direction: Direction) =>
  mode === 'both' || mode === 'dry-run' || mode === direction;

function verdictOf(status: ConnectionStatus, direction: Direction, began: number): Verdict {
  const { name, mode, breaker } = status;
  if (!runs(status, direction)) {
    return { done: false, sentence: `The mode is ${mode}: nothing was ${direction === 'push' ? 'sent' : 'asked'}.` };
  }
  if (breaker.state !== 'closed' || breaker.failures > 0) {
    const again =
      breaker.until > 0 ? ` It is tried again at ${Temporal.Instant.fromEpochMilliseconds(breaker.until)}.` : '';
    const look = `\`baton messages connection=${name}\` says why, \`baton connect check ${name}\` what to do.`;
    return { done: false, sentence: `The server does not answer as it should.${again} ${look}` };
  }
  if (mode === 'dry-run') {
    return {
      done: true,
      sentence: `The mode is dry-run: \`baton messages connection=${name}\` has what would be done.`,
    };
  }
  return direction === 'push' ? pushed(status) : pulled(status, began);
}

function pulled(
  { name, strategies, streams, firstLoad, links, openConflicts }: ConnectionStatus,
  began: number,
): Verdict {
  const doors = Object.keys(strategies).filter((type) => strategies[type]?.strategy !== 'none');
  const loading = firstLoad && firstLoad.state !== 'done' && firstLoad.state !== 'failed' ? firstLoad.types : [];
  const read = new Set(streams.filter(({ ranAt }) => ranAt >= began).map(({ type }) => type));
  const missed = doors.filter((type) => !read.has(type) && !loading.includes(type));
  const said = [
    `${counted(doors.length - missed.length - loading.length, 'type was', 'types were')} read; ${counted(links, 'resource is', 'resources are')} linked`,
    ...(loading.length > 0 ? [`the first load of ${loading.join(', ')} is under way`] : []),
    ...(missed.length > 0
      ? [`not read: ${missed.join(', ')} (\`baton messages connection=${name} direction=pull\`)`]
      : []),
    ...(openConflicts > 0 ? [`${counted(openConflicts, 'conflict waits', 'conflicts wait')} for a person`] : []),
  ];
  return { done: missed.length === 0, sentence: `${said.join('; ')}.` };
}

function pushed({
  name,
  outbox: { queued, sending, withheld },
  parked,
  rejected,
  openConflicts,
}: ConnectionStatus): Verdict {
  const waits = queued + sending;
  const said = [
    ...(waits > 0 ? [`${counted(waits, 'waits', 'wait')} to be sent (\`/ops/outbox?connection=${name}\`)`] : []),
    ...(withheld > 0 ? [`${counted(withheld, 'is', 'are')} withheld`] : []),
    ...(parked > 0 ? [`${counted(parked, 'is', 'are')} parked`] : []),
    ...(rejected > 0
      ? [`${counted(rejected, 'was', 'were')} refused (\`baton messages connection=${name} class=permanent\`)`]
      : []),
    ...(openConflicts > 0 ? [`${counted(openConflicts, 'conflict waits', 'conflicts wait')} for a person`] : []),
  ];
  const done = parked + rejected === 0;
  return { done, sentence: said.length === 0 ? 'All that is due is there.' : `Pushed; ${said.join('; ')}.` };
}

const counted = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;

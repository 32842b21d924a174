// The `baton deliveries` commands: what /ops/deliveries does, for people at a terminal.
import { readFileSync } from 'node:fs';
import { Fault } from './fault.ts';
import { type Deliveries, MOST_REPEATS, type RepeatedDelivery } from './intake/deliveries.ts';
import { findDeliveries } from './intake/delivery-search.ts';
import type { Actor, Store } from './store/store.ts';

export interface DeliveryCommandParts {
  readonly deliveries: Deliveries;
  readonly store: Store;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

export interface DeliveryOptions {
  readonly file?: string | undefined;
  readonly limit?: string | undefined;
  readonly 'dry-run'?: boolean | undefined;
}

export interface DeliveryCommand {
  readonly words: string;
  readonly does: string;
  run(parts: DeliveryCommandParts, words: readonly string[], options: DeliveryOptions): Promise<void>;
}

export const DELIVERY_COMMANDS: readonly DeliveryCommand[] = [
  {
    words: 'deliveries show',
    does: 'show received message ID whole',
    async run(parts, [id]) {
      const { body, original, answer, ...facts } = await parts.deliveries.read(named(id));
      parts.print(JSON.stringify(facts, undefined, 2));
      for (const [title, text] of Object.entries({ received: original ?? body, corrected: original && body, answer })) {
        if (text) parts.print(`\n${title}:\n${text.replaceAll('\r', '\n').trimEnd()}`);
      }
      record(parts, 'delivery', 'R', id);
    },
  },
  {
    words: 'deliveries replay',
    does: 'take in again ID, or those that wait and match outcome=AE facility=NORTH …   [--file corrected.hl7] [--dry-run] [--limit 100]',
    run: replay,
  },
  {
    words: 'deliveries dismiss',
    does: 'nothing more is needed for ID: a reason in words',
    async run(parts, [id, ...reason]) {
      if (reason.length === 0) throw new Fault('invalid', 'Say why it needs nothing.');
      const { key } = await parts.deliveries.dismiss(parts.actor, named(id), reason.join(' '));
      parts.print(`${key} needs nothing more`);
      record(parts, 'delivery-dismiss', 'E', id);
    },
  },
  {
    words: 'deliveries',
    does: 'list received messages, the newest first: waits=true outcome=AE sender=… since=2026-11-24T08:00:00Z …   [--limit 50]',
    async run({ store, print }, words, { limit }) {
      for (const one of await findDeliveries(store, { filter: filterOf(words), limit: numberOf(limit, 50) })) {
        const { id, received, event = '', key, outcome, condition = '', location = '', detail = '' } = one;
        print([received, outcome, event, key, condition, location, detail].filter((part) => part !== '').join('  '));
        print(`    ${id}`);
      }
    },
  },
];

async function replay(
  parts: DeliveryCommandParts,
  words: readonly string[],
  { file, limit, 'dry-run': dryRun = false }: DeliveryOptions,
): Promise<void> {
  const { deliveries, actor, print } = parts;
  const [first] = words;
  const isFilter = first === undefined || first.includes('=');
  if (isFilter && file !== undefined) throw new Fault('invalid', 'Name the one message that --file corrects.');
  const body = file === undefined ? undefined : textOf(file);
  const results = isFilter
    ? await deliveries.repeatAll(actor, filterOf(words), { dryRun, limit: numberOf(limit, 100) })
    : [await deliveries.repeat(actor, first, { dryRun, body })];
  record(parts, 'delivery-replay', 'E', isFilter ? undefined : first);
  for (const result of results) printResult(print, result);
  if (results.length === 0) print('No message waits that matches.');
}

function printResult(print: DeliveryCommandParts['print'], { key, outcome, remarks, changes }: RepeatedDelivery): void {
  print(`${key}  ${outcome}`);
  for (const { severity, condition, location = '', text } of remarks)
    print(`    ${severity} ${condition} ${location} ${text}`);
  for (const [what, same] of Map.groupBy(changes, ({ op, type }) => `${op} ${type}`))
    print(`    ${what} ${same.length}`);
}

function filterOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([A-Za-z]+)=(.+)$/.exec(word) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new Fault('invalid', `"${word}" is no filter; write name=value, such as outcome=AE.`);
    }),
  );
}

function numberOf(text: string | undefined, otherwise: number): number {
  const limit = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_REPEATS) return limit;
  throw new Fault('invalid', `--limit is a whole number from 1 to ${MOST_REPEATS}.`);
}

function named(id: string | undefined): string {
  if (id === undefined) throw new Fault('invalid', 'Name the message by its id, as `baton deliveries` prints it.');
  return id;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('invalid', `${file} cannot be read.`, { cause });
  }
}

/** The trail tells of the terminal what it tells of /ops. */
function record(parts: DeliveryCommandParts, name: string, action: 'R' | 'E', id: string | undefined): void {
  const { actor, store } = parts;
  const about = id === undefined ? {} : { id };
  store.audit({ actor, interaction: `ops-${name}`, action, status: 200, ...about, patients: [] });
}

// Messages go when they were kept long enough, and never while somebody may need them. docs/sync-spec.md#I22
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MessageKeeping, messageRetention } from '../../src/sync/messages/message-retention.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

let temp: TempStore;
beforeEach(async () => {
  temp = await openTempStore();
});
afterEach(() => temp.cleanup());

const DAY = 24 * 60 * 60_000;
const now = Temporal.Instant.from('2026-11-28T12:00:00Z').epochMilliseconds;
let shift = 0;
const clock = {
  now: () => Temporal.Instant.fromEpochMilliseconds(now + shift),
  real: () => Temporal.Instant.fromEpochMilliseconds(now + shift),
};
const retention = (keeping: MessageKeeping) => messageRetention(temp.store, clock, pino({ level: 'silent' }), keeping);
const ids = async () => (await temp.store.query('SELECT id FROM message ORDER BY id')).map(({ id }) => String(id));

interface Row {
  readonly id: string;
  readonly days: number;
  readonly local?: string;
  readonly remote?: string | null;
  readonly outcome?: string;
  readonly class?: string;
  readonly direction?: string;
}

async function keep(...rows: Row[]): Promise<void> {
  const statements = rows.map(({ id, days, local = id, remote = id, ...row }) => ({
    sql: `INSERT INTO message (id, connection, run_id, direction, type, local_id, remote_id, outcome, class, at)
      VALUES (?, 'ehr', 'r', ?, 'Task', ?, ?, ?, ?, ?)`,
    params: [
      id,
      row.direction ?? 'push',
      local,
      remote,
      row.outcome ?? 'updated',
      row.class ?? 'success',
      now - days * DAY,
    ],
  }));
  await run(...statements.map(({ sql, params }) => [sql, params] as const));
}

async function run(...statements: (readonly [string, readonly (string | number | null)[]])[]): Promise<void> {
  const rows = statements.map(([sql, params]) => ({ sql, params }));
  await temp.store.commit({ reference: 'test', kind: 'service' }, [], rows);
}

const outbox = (local: string, state: string, sequence = 1) =>
  [
    `INSERT INTO outbox (id, connection, type, local_id, upto_sequence, state, attempts, next_at, at)
      VALUES (?, 'ehr', 'Task', ?, ?, ?, 0, 0, 1)`,
    [`${local}-${sequence}`, local, sequence, state],
  ] as const;

const newest: Row[] = [
  { id: 'newest-push', days: 0 },
  { id: 'newest-pull', days: 0, direction: 'pull' },
];

test('without a number of days nothing goes', async () => {
  await keep({ id: 'old', days: 9_000 }, ...newest);
  expect(await retention({}).tick()).toBe(0);
  expect(await ids()).toContain('old');
});

test('old ones go, those that succeeded sooner; the newest of each stream stays however old it is', async () => {
  await keep(
    { id: 'failed-8', days: 8, class: 'permanent', outcome: 'permanent' },
    { id: 'failed-31', days: 31, class: 'permanent', outcome: 'permanent' },
    { id: 'fine-6', days: 6 },
    { id: 'fine-8', days: 8 },
    { id: 'pull-50', days: 50, direction: 'pull' },
    { id: 'pull-40', days: 40, direction: 'pull' },
  );
  expect(await retention({ keepDays: 30, keepSuccessfulDays: 7 }).tick()).toBe(3);
  expect(await ids()).toEqual(['failed-8', 'fine-6', 'pull-40']);
});

test('what is unresolved stays, and goes once it is resolved', async () => {
  const old = { days: 400 };
  await keep(
    ...newest,
    ...['open', 'queued', 'parked', 'withheld', 'rejected', 'sent', 'rejected-then-sent'].map((id) => ({ id, ...old })),
    { id: 'bad', ...old, direction: 'pull', outcome: 'quarantined', class: 'permanent' },
    { id: 'bad-twice-1', remote: 'bad-twice', ...old, direction: 'pull', outcome: 'quarantined', class: 'permanent' },
    {
      id: 'bad-twice-2',
      remote: 'bad-twice',
      days: 399,
      direction: 'pull',
      outcome: 'quarantined',
      class: 'permanent',
    },
    { id: 'cured', ...old, direction: 'pull', outcome: 'quarantined', class: 'permanent' },
    { id: 'cured-later', remote: 'cured', days: 1, direction: 'pull', outcome: 'created' },
    { id: 'held', ...old, direction: 'pull', outcome: 'held' },
    { id: 'nameless', remote: null, ...old, direction: 'pull', outcome: 'quarantined', class: 'permanent' },
  );
  await run(
    [
      `INSERT INTO conflict (id, connection, type, local_id, remote_id, kind, paths, state, at)
        VALUES ('c', 'ehr', 'Task', 'open', 'x', 'content', '[]', 'open', 1)`,
      [],
    ],
    [
      `INSERT INTO held_resource (connection, type, remote_id, waits_type, waits_id, body, at)
        VALUES ('ehr', 'Task', 'held', 'Patient', 'r1', '{}', 1)`,
      [],
    ],
    ...['queued', 'parked', 'withheld', 'rejected', 'sent'].map((state) => outbox(state, state)),
    outbox('rejected-then-sent', 'rejected'),
    outbox('rejected-then-sent', 'sent', 2),
  );
  await retention({ keepDays: 30 }).tick();
  const kept = ['bad', 'bad-twice-2', 'cured-later', 'newest-pull', 'newest-push'];
  expect(await ids()).toEqual([...kept, 'held', 'open', 'parked', 'queued', 'rejected', 'withheld'].sort());
  await run(["UPDATE conflict SET state = 'resolved'", []], ["UPDATE outbox SET state = 'sent'", []]);
  await run(['DELETE FROM held_resource', []]);
  await retention({ keepDays: 30 }).tick();
  expect(await ids()).toEqual(kept.sort());
});

test('many go in several commits, once a day, and only where the lease is held', async () => {
  await keep(...newest, ...Array.from({ length: 2_500 }, (_, index) => ({ id: `m${index}`, days: 60 })));
  const until = now + 60_000;
  await run(["INSERT INTO lease (name, token, until) VALUES ('messages:retention', 'somebody', ?)", [until]]);
  expect(await retention({ keepDays: 30 }).tick()).toBe(0);
  await run(['DELETE FROM lease', []]);
  const one = retention({ keepDays: 30 });
  expect(await one.tick()).toBe(2_500);
  expect(await ids()).toEqual(['newest-pull', 'newest-push']);
  await keep({ id: 'old', days: 60 });
  expect(await one.tick()).toBe(0);
  shift = DAY;
  expect(await one.tick()).toBe(1);
  shift = 0;
});

// The bare limit of intake: MLLP, and one durable row per message on SQLite, many in one commit; nothing is read of the
// message. Prints the port it listens on.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { startMllpServer } from '../../../src/intake/mllp/server.ts';

const database = new DatabaseSync(join(await mkdtemp(join(tmpdir(), 'baton-bench-bare-')), 'bare.db'));
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
database.exec('CREATE TABLE delivery (key TEXT PRIMARY KEY, body BLOB NOT NULL, answer TEXT NOT NULL)');
const insert = database.prepare('INSERT INTO delivery (key, body, answer) VALUES (?, ?, ?)');
let waiting: { readonly bytes: Uint8Array; readonly done: (key: string) => void }[] = [];
let last = 0;

function commit(): void {
  const group = waiting;
  waiting = [];
  database.exec('BEGIN IMMEDIATE');
  const keys = group.map(({ bytes }) => {
    last += 1;
    insert.run(String(last), bytes, 'MSA|AA|');
    return String(last);
  });
  database.exec('COMMIT');
  for (const [index, { done }] of group.entries()) done(keys[index] ?? '');
}

const server = await startMllpServer({
  host: '127.0.0.1',
  port: 0,
  log: pino({ level: 'error' }),
  async receive(bytes) {
    await new Promise<string>((done) => {
      if (waiting.push({ bytes, done }) === 1) setImmediate(commit);
    });
    return { code: 'AA', ack: 'MSH|^~\\&|\rMSA|AA|\r' };
  },
  refuseTooLong: async () => ({ code: 'AR', ack: '' }),
});
process.stdout.write(`${server.port}\n`);

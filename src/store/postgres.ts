// The PostgreSQL engine: one connection writes, a few read, one listens. Several processes, on several machines, may share
// a database; their write transactions exclude each other.
import { randomUUID } from 'node:crypto';
import { Fault } from '../fault.ts';
import type { Engine } from './engine.ts';
import { PostgresListener } from './postgres-listener.ts';
import { PostgresReaders } from './postgres-readers.ts';
import { postgresSettings } from './postgres-url.ts';
import { PostgresWriter } from './postgres-writer.ts';

/**
 * Connects when it is first used.
 * @param url `postgres://user:password@host:port/database`
 * @throws Fault invalid for a URL that cannot be one
 */
export function openPostgres(url: string): Engine {
  const settings = postgresSettings(url);
  const self = randomUUID();
  const reader = new PostgresReaders(settings);
  const writer = new PostgresWriter(settings, self);
  const listener = new PostgresListener(settings, self);
  return {
    reader,
    write: (work) => writer.write(work),
    onOtherCommit: (listen) => listener.add(listen),
    async backup() {
      throw new Fault(
        'unprocessable',
        'Baton does not copy a PostgreSQL database itself: use pg_dump, or base backups with a WAL archive (docs/operations.md).',
        { code: 'not-supported' },
      );
    },
    async close() {
      await listener.close();
      await writer.close();
      await reader.close();
    },
  };
}

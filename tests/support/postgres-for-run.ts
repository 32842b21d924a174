// One PostgreSQL for a whole vitest run (globalSetup): started when the first test asks for it, stopped when all are done.
// Test files run in processes of their own, so they ask through a socket.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connecting to this socket gives the URL of the server. */
    readonly postgresSocket: string;
  }
}

/** What tests check survives the end of a process, which needs no disk; tests of power failures start their own server. */
const HASTY = { fsync: 'off', full_page_writes: 'off' };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-run-'));
  const path = join(folder, 'postgres.sock');
  let server: Promise<PostgresServer> | undefined;
  const door = createServer(async (socket) => {
    server ??= startPostgres({ settings: HASTY });
    socket.end(
      await server.then(
        (started) => started.url('postgres'),
        (error) => `failed ${error}`,
      ),
    );
  });
  door.listen(path);
  await once(door, 'listening');
  project.provide('postgresSocket', path);
  return async () => {
    door.close();
    await server?.then((started) => started.stop());
    await rm(folder, { recursive: true, force: true });
  };
}

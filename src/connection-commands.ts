// The `connect` commands: look at connections, at the servers behind them, and turn one off.
import { Fault } from './fault.ts';
import type { Actor, AuditRecord } from './store/store.ts';
import { describeReport } from './sync/connections/check-report.ts';
import type { Sync } from './sync/sync.ts';

export interface ConnectionCommandParts {
  readonly sync: Pick<Sync, 'status' | 'connections' | 'checkConnection'>;
  readonly audit: (record: AuditRecord) => void;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

export interface ConnectionCommand {
  readonly words: string;
  readonly does: string;
  /** False when what was looked at cannot be used. */
  run(parts: ConnectionCommandParts, words: readonly string[]): Promise<boolean | undefined>;
}

export const CONNECTION_COMMANDS: readonly ConnectionCommand[] = [
  {
    words: 'connect list',
    does: 'list the connections',
    async run(parts) {
      await listConnections(parts);
      return undefined;
    },
  },
  {
    words: 'connect check',
    does: 'look at the server of NAME and say what will and will not work',
    async run(parts, [name]) {
      if (!name) throw new Fault('invalid', 'Name the connection.');
      return checkConnection(parts, name);
    },
  },
  {
    words: 'connect mode',
    does: 'set NAME to off, dry-run, pull, push or both, also in a running Baton',
    async run(parts, [name, mode]) {
      if (!name || !mode) throw new Fault('invalid', 'Name the connection and the mode.');
      await setMode(parts, name, mode);
      return undefined;
    },
  },
];

/** @returns whether the connection can be used. @throws Fault not-found */
async function checkConnection({ sync, audit, actor, print }: ConnectionCommandParts, name: string): Promise<boolean> {
  const report = await sync.checkConnection(name);
  audit({ actor, interaction: 'ops-connection-check', action: 'E', status: 200, id: name });
  print(describeReport(report));
  return report.usable;
}

async function listConnections({ sync, print }: ConnectionCommandParts): Promise<void> {
  for (const { name, mode, source, vendor, baseUrl } of await sync.status()) {
    print(`${name}  ${mode}  ${vendor}  ${baseUrl}  ${source === 'file' ? 'configuration file' : '/ops'}`);
  }
}

/** In effect at once here, and before the next claim in every other process. @throws Fault invalid | not-found */
async function setMode(
  { sync, audit, actor, print }: ConnectionCommandParts,
  name: string,
  mode: string,
): Promise<void> {
  await sync.connections.patch(actor, name, { mode });
  audit({
    actor,
    interaction: 'ops-connection-patch',
    action: 'U',
    status: 200,
    id: name,
    query: `mode=${mode}`,
  });
  print(`${name} is ${mode}.`);
}

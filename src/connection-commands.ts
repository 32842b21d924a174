// The `connect` commands: look at connections, at the servers behind them, and turn one off.
import type { Actor, AuditRecord } from './store/store.ts';
import { describeReport } from './sync/check-report.ts';
import type { Sync } from './sync/sync.ts';

export interface ConnectionCommandParts {
  readonly sync: Pick<Sync, 'status' | 'connections' | 'checkConnection'>;
  readonly audit: (record: AuditRecord) => void;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

/** @returns whether the connection can be used. @throws Fault not-found */
export async function checkConnection(
  { sync, audit, actor, print }: ConnectionCommandParts,
  name: string,
): Promise<boolean> {
  const report = await sync.checkConnection(name);
  audit({ actor, interaction: 'ops-connection-check', action: 'E', status: 200, id: name });
  print(describeReport(report));
  return report.usable;
}

export async function listConnections({ sync, print }: ConnectionCommandParts): Promise<void> {
  for (const { name, mode, source, vendor, baseUrl } of await sync.status()) {
    print(`${name}  ${mode}  ${vendor}  ${baseUrl}  ${source === 'file' ? 'configuration file' : '/ops'}`);
  }
}

/** In effect at once here, and before the next claim in every other process. @throws Fault invalid | not-found */
export async function setMode(
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

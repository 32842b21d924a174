// A connection: an external FHIR server, what flows in which direction, and how often. Data, from the configuration.
import type { RemoteSettings } from '../remote/remote.ts';
import type { Actor } from '../store/store.ts';

export type Direction = 'pull' | 'push' | 'both';

export interface Connection extends RemoteSettings {
  /** Part of cursors, rows and actors; renaming a connection starts it anew. */
  readonly name: string;
  readonly mode: 'off' | 'dry-run' | Direction;
  /** Resource type -> direction; a type that is not named does not flow. */
  readonly types: Readonly<Record<string, Direction>>;
  /** How far before its watermark each pull looks again. */
  readonly overlapSeconds: number;
  readonly pullEverySeconds: number;
  /** Who is on the other side, as consents name it: `Organization/12`. Absent: unknown, so that any deny of an actor holds. */
  readonly recipient?: string;
  /** Why it gets data, a code of v3-ActReason; `TREAT` when absent. */
  readonly purpose?: string;
}

export function pushes(connection: Connection, type: string): boolean {
  const direction = connection.types[type];
  return direction === 'push' || direction === 'both';
}

export function pulls(connection: Connection, type: string): boolean {
  const direction = connection.types[type];
  return direction === 'pull' || direction === 'both';
}

/** Who applies what a connection brought. `origin` keeps it from being sent back there. */
export function actorOf(connection: Connection, runId?: string): Actor {
  const actor: Actor = { reference: 'Device/baton-sync', kind: 'connection', origin: connection.name };
  return runId === undefined ? actor : { ...actor, requestId: runId };
}

// A connection: an external FHIR server, what flows in which direction, and how often. Data, from the configuration file
// or from /ops/connections.
import type { RemoteSettings } from '../../remote/remote.ts';
import type { Actor } from '../../store/store.ts';
import type { BulkSettings } from '../bulk/settings.ts';
import type { HintSettings } from '../hints/settings.ts';

/** Where a connection was made: in the configuration file, or through /ops/connections. */
export type ConnectionSource = 'file' | 'ops';

export const MODES = ['off', 'dry-run', 'pull', 'push', 'both'] as const;

export type Direction = 'pull' | 'push' | 'both';

/**
 * How a type is read: `history` by `_history?_since`, `search` by `_lastUpdated`, `roster` patient by patient with hashes,
 * `none` not at all.
 */
export type PullStrategy = 'history' | 'search' | 'roster' | 'none';

/** Whose records flow: all that are linked, the members of a Group there, or who a search there finds. */
export type PatientScope =
  | { readonly kind: 'linked' }
  | { readonly kind: 'group'; readonly id: string }
  | { readonly kind: 'query'; readonly query: string };

/** What a change goes out as when the server cannot take the resource itself. */
export type ProjectionTarget = 'DocumentReference' | 'Communication' | 'ServiceRequest';

/** How the patients of one server are matched with ours. docs/patient-matching.md */
export interface MatchingSettings {
  /** A file of profiles/matching, without `.json`. */
  readonly rules?: string;
  /** Identifier systems that decide alone. Absent: all that the rules do not call supporting. */
  readonly trusted?: readonly string[];
  /** What is linked without a person: `identifiers`, when absent, or also what the rules call a match. */
  readonly automatic?: 'identifiers' | 'demographics';
  readonly thresholds?: { readonly match?: number; readonly possible?: number };
  /** Who makes patients there: `remote` means never Baton. */
  readonly owner?: 'remote';
}

export interface Connection extends RemoteSettings {
  /** Part of cursors, rows and actors; renaming a connection starts it anew. */
  readonly name: string;
  readonly mode: (typeof MODES)[number];
  /** Addresses that the same server had before; without them another `baseUrl` is another server. */
  readonly formerBaseUrls?: readonly string[];
  /** Resource type -> direction; a type that is not named does not flow. */
  readonly types: Readonly<Record<string, Direction>>;
  /** How far before its watermark each pull looks again. */
  readonly overlapSeconds: number;
  readonly pullEverySeconds: number;
  /** Cron expressions in UTC; `pull` goes before `pullEverySeconds`. Nightly when `sweep` is absent. */
  readonly schedule?: { readonly pull?: string; readonly sweep?: string };
  /** By type. Absent: chosen from what the server can do. */
  readonly strategies?: Readonly<Record<string, PullStrategy>>;
  /** Absent: all that are linked. */
  readonly patients?: PatientScope;
  /** By type: what goes out instead, where the server has no door for it. Absent: what the vendor file says. */
  readonly projections?: Readonly<Record<string, ProjectionTarget>>;
  /** How its patients are matched with ours. Absent: by the standard rules, and a person decides what identifiers do not. */
  readonly matching?: MatchingSettings;
  /** How the remote may notify. Absent: only with a Baton token. */
  readonly hints?: HintSettings;
  /** Absent: no bulk export. */
  readonly bulk?: BulkSettings;
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

// What the rest of Baton knows of the store: one way to write, one log, reads and searches. Engines implement it.
import type { Change } from '../fhir/change.ts';
import type { Label } from '../fhir/consent/label-order.ts';
import type { SearchQuery, WithheldCondition } from '../fhir/search/query.ts';
import type { Guard } from './guard.ts';

/** Who makes a change or asks a question; goes into the version row and the audit trail. */
export interface Actor {
  /** `Practitioner/12`, `Device/baton`, or a client id. */
  readonly reference: string;
  readonly kind: 'user' | 'client' | 'service' | 'connection';
  /** Connection a change came from, so that sync never sends it back there. */
  readonly origin?: string;
  readonly requestId?: string;
  /** Id of the application that a person uses; absent when `reference` is the application itself. */
  readonly client?: string;
  /** Network address that the request came from. */
  readonly address?: string;
  /** Why, as codes of v3-PurposeOfUse: `TREAT`, `HPAYMT`, `ETREAT`… */
  readonly purposes?: readonly string[];
  /** Ids of the emergency accesses (break-the-glass) under which the actor works, with spaces between them. */
  readonly emergency?: string;
  /** The changes are what others have done, and may be the sum of several steps. */
  readonly passesOn?: boolean;
}

/** Baton itself, where no part of it has a name of its own. */
export const BATON: Actor = { reference: 'Device/baton', kind: 'service' };

/** What became of one change, in the order the changes were given. */
export interface Outcome {
  /** 201 created, 200 updated or already there (ifNoneExist), 204 deleted. */
  readonly status: 200 | 201 | 204;
  /** False when nothing was written: ifNoneExist matched, or there was nothing to delete. */
  readonly written: boolean;
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly lastUpdated: string;
  /** JSON text as stored; empty for a delete. */
  readonly content: string;
}

/** One version of one resource. */
export interface StoredVersion {
  /** Position in the log; grows with every version, never reused. */
  readonly sequence: number;
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  /** FHIR instant with milliseconds, UTC. */
  readonly lastUpdated: string;
  readonly operation: 'create' | 'update' | 'delete';
  /** JSON text as stored; empty for a delete. */
  readonly content: string;
  /** Ids of the patients it is about, where what was read says so. */
  readonly patients?: readonly string[];
}

/** A version as the log's readers see it. */
export interface LogEntry extends StoredVersion {
  readonly actor: string;
  readonly origin: string | null;
  /** Kind of the actor; null for versions of a Baton that did not keep it. */
  readonly kind: Actor['kind'] | null;
  /** The application a person used. */
  readonly client: string | null;
}

/**
 * A row change that must stand or fall with a commit: a consumer's cursor, a link, an outbox row, a received message.
 * `?` placeholders on every engine.
 */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  /** When given and the number of rows changed differs, the whole commit fails with a `conflict` fault (fencing). */
  readonly rows?: number;
}

/** Statements, or what makes them of what the commit is about to have done. */
export type Alongside = readonly Statement[] | ((outcomes: readonly Outcome[]) => readonly Statement[]);

export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

export interface HistoryRequest {
  readonly type?: string;
  readonly id?: string;
  /** Inclusive FHIR instant. */
  readonly since?: string;
  /** Versions that were current at some time in the given instant or later… see http.html#history `_at`. */
  readonly at?: string;
  /** Only versions of these resources. */
  readonly among?: readonly { readonly type: string; readonly id: string }[];
  readonly count: number;
  readonly cursor?: string;
}

/** What `meta` of current resources has in it, each once. */
export interface MetaInUse {
  readonly profile: readonly string[];
  readonly security: readonly { readonly system?: string; readonly code?: string }[];
  readonly tag: readonly { readonly system?: string; readonly code?: string }[];
}

export interface Page<T> {
  readonly items: T[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
  readonly total?: number;
}

export interface SearchResult extends Page<StoredVersion> {
  /** `_include`/`_revinclude` resources of this page, each once, none that is already a match. */
  readonly included: StoredVersion[];
  /** Sentences on what is missing from the page, for the client. */
  readonly warnings?: readonly string[];
}

/** Whether, and by what, a resource is kept from an asker. */
export interface Withholding {
  readonly withheld: boolean;
  /** Ids of the Consents that deny. Only for a person who may know of them. */
  readonly consents: readonly string[];
  /** Security labels that need a permit and have none. */
  readonly labels: readonly { readonly system: string; readonly code: string }[];
  /** Ids of the patients whom the resource is about; theirs are the consents that can change the answer. */
  readonly patients: readonly string[];
  /** When the answer may change by itself, milliseconds since 1970, because the period of a rule begins or ends. */
  readonly until?: number;
}

/** One line of the audit trail for something that is not a write (writes are audited by the commit itself). */
export interface AuditRecord {
  readonly actor: Actor;
  /** FHIR restful-interaction code or an operation's name: read, search-type, login, export… */
  readonly interaction: string;
  /** AuditEvent.action: Create, Read, Update, Delete, Execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly status: number;
  readonly type?: string;
  readonly id?: string;
  readonly version?: number;
  readonly query?: string;
  /**
   * Ids of the patients it is about. Absent: those of the resource that `type` and `id` name, found when the record is
   * written.
   */
  readonly patients?: readonly string[];
}

export interface UnlessNewer {
  /** `Type?parameters` that few match. */
  readonly query: string;
  /** What was the store's head before the commit was planned. */
  readonly after: number;
}

export interface UnlessWritten {
  readonly type: string;
  /** What was the store's head before the commit was planned. */
  readonly after: number;
  /** Asked of each version since, deletes included. Runs under the write lock: quick, and without side effects. */
  readonly stops: (entry: LogEntry) => boolean;
}

export interface CommitOptions {
  /** A FHIR transaction although it has one change only: its references must lead somewhere, too. */
  readonly transaction?: boolean;
  /** Types of which the caller may learn what is stored; references to others need not lead anywhere. Absent: all. */
  readonly mayKnow?: (type: string) => boolean;
  /** Absent: the writer may touch and make anything. */
  readonly guard?: Guard | undefined;
  /**
   * Fails as a conflict when something that matches was written after a position of the log: for who creates a thing
   * because there was none, and cannot say by an identifier what would be the same one.
   */
  readonly unlessNewer?: UnlessNewer | undefined;
  /** The same where no search says what would be the same one. */
  readonly unlessWritten?: UnlessWritten | undefined;
  /** A person has chosen between two copies, so whether the chosen one may follow ours is no question any more. */
  readonly isDecided?: boolean;
}

/** A business identifier of a resource type. */
export interface AskedIdentifier {
  readonly type: string;
  readonly system: string;
  readonly value: string;
}

export interface Store {
  /**
   * The only write path. Validates, assigns versions, writes versions, current rows, search rows, audit rows and
   * `alongside` in one durable transaction; resolves when it is on disk.
   * @throws Fault invalid | unprocessable | conflict | precondition | multiple-matches
   */
  commit(actor: Actor, changes: readonly Change[], alongside?: Alongside, options?: CommitOptions): Promise<Outcome[]>;

  /** The current version, a deleted one included (`operation: 'delete'`); undefined when there never was one. */
  read(type: string, id: string): Promise<StoredVersion | undefined>;
  /** Whether anything could be withheld from anybody: some Consent has a rule, or some resource one of the labels. */
  mayWithhold(labels: readonly Label[]): Promise<boolean>;
  /**
   * What keeps the current resource from the asker of the condition. Nothing is withheld of a resource that is deleted or
   * never was.
   * @throws Fault unavailable while a search parameter that tells patients is still being indexed
   */
  withholding(type: string, id: string, condition: WithheldCondition): Promise<Withholding>;
  vread(type: string, id: string, versionId: string): Promise<StoredVersion | undefined>;
  /** Newest first. */
  history(request: HistoryRequest): Promise<Page<StoredVersion>>;
  search(query: SearchQuery): Promise<SearchResult>;
  /** Of one type, or of all resources. @throws Fault too-large */
  metaInUse(type?: string): Promise<MetaInUse>;
  /**
   * Everything that matches `Type?parameters`, oldest first; for Baton's own code, which knows its queries are narrow.
   * @throws Fault too-large when more than 1,000 match
   */
  find(query: string): Promise<StoredVersion[]>;

  /**
   * Every resource that has one of the identifiers, each once, the least recently changed first: as `find` of
   * `Type?identifier=system|value`, for many at once.
   * @throws Fault unavailable while the identifiers of one of the types are being indexed
   */
  findIdentified(asked: readonly AskedIdentifier[]): Promise<StoredVersion[]>;

  /** Committed versions after `sequence`, of one type or of all, oldest first, without gaps. */
  readLog(afterSequence: number, limit: number, type?: string): Promise<LogEntry[]>;
  /** Highest sequence a reader may see now. */
  head(): Promise<number>;
  /** Calls `listener` after every commit that wrote something; returns the way to stop. */
  onCommit(listener: () => void): () => void;

  /** Adds to the audit trail; durable within a second. */
  audit(record: AuditRecord): void;

  /** Rows of the tables that sync, transitions and intake own. Never the resource tables: those have the calls above. */
  query(sql: string, params?: readonly SqlValue[]): Promise<SqlRow[]>;

  /** True when a write would succeed now. */
  ready(): Promise<boolean>;
  /** Finishes what is queued and closes the files. */
  close(): Promise<void>;
}

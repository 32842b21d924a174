// Group commit: units that arrive together share one durable transaction, each in its own savepoint, so that one bad one
// fails alone and nobody is answered before the disk has it.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { appendAudit } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import { AuditPatients } from './audit-patients.ts';
import { commitUnit } from './commit.ts';
import { CurrentRows } from './current-rows.ts';
import { type Engine, Tainted, type Transaction } from './engine.ts';
import { foresee } from './foresee.ts';
import type { CommitRules, Group, Unit } from './group.ts';
import type { RulesInForce } from './rules-in-force.ts';
import type { AuditRecord, Outcome } from './store.ts';

/** A group is closed when it has this many changes, so that the event loop gets a turn. */
const CHANGES_PER_GROUP = 500;
/**
 * Audit records that no commit has taken along are written after this many milliseconds, or when there are this many: of so
 * many some share a page of each index. More at once made reads no faster and let creates wait longer.
 */
const AUDIT_DELAY = 200;
const AUDIT_BATCH = 1_000;
/**
 * Where the engine writes them elsewhere, many wait for so many milliseconds more, for each batch empties the caches that reads
 * go to: of 2,000 at once instead of 5,000 a read took some 4 µs longer.
 */
const ELSEWHERE = { many: 400, delay: 300, batch: 5_000 } as const;

/** After a group that had to be done twice so many are done with care: failures come together. */
const CAREFUL_GROUPS = 20;

const HEAD = 'SELECT sequence, updated FROM version ORDER BY sequence DESC LIMIT 1';

export interface GroupCommitOptions {
  readonly engine: Engine;
  readonly rules: CommitRules;
  /** Looks before each group that the rules are those of the database. */
  readonly inForce: Pick<RulesInForce, 'write'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after a group that wrote versions. */
  readonly onWritten: () => void;
}

interface Waiting extends Unit {
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

type Result = { readonly outcomes: Outcome[] } | { readonly error: unknown };

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #patients: AuditPatients;
  readonly #queue: Waiting[] = [];
  #audit: AuditEntry[] = [];
  #auditTimer: NodeJS.Timeout | undefined;
  /** Records have waited long enough. */
  #auditIsDue = false;
  #running: Promise<void> | undefined;
  #closed = false;
  /** How many groups to come are done with care. */
  #careful = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#patients = new AuditPatients(options.rules.searchEngine);
  }

  /** Resolves when the unit is on disk. */
  submit(unit: Unit): Promise<Outcome[]> {
    if (this.#closed)
      return Promise.reject(new Fault('unavailable', 'Baton is shutting down and takes no more changes.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...unit, resolve, reject });
      this.#start();
    });
  }

  /** Takes a record along with the next group, or alone within 200 ms; one of many within 500. */
  audit(record: AuditRecord): void {
    this.#audit.push({ ...record, recorded: this.#options.clock.now().epochMilliseconds });
    if (this.#audit.length >= (this.#options.engine.append ? ELSEWHERE.batch : AUDIT_BATCH)) this.#start();
    else this.#startLater();
  }

  /** Takes nothing more, and resolves when everything taken is on disk. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    // Twice: the second writes them here, should whoever else does it have ended just now.
    for (let attempt = 0; attempt < 2 && this.#audit.length > 0; attempt += 1) {
      this.#start();
      await this.#running;
    }
    clearTimeout(this.#auditTimer);
  }

  #start(): void {
    this.#running ??= this.#drain();
  }

  #startLater(): void {
    this.#auditTimer ??= setTimeout(() => {
      const isMany = this.#options.engine.append && this.#audit.length >= ELSEWHERE.many;
      if (isMany) this.#auditTimer = setTimeout(() => this.#startDue(), ELSEWHERE.delay);
      else this.#startDue();
    }, AUDIT_DELAY);
  }

  #startDue(): void {
    this.#auditTimer = undefined;
    this.#auditIsDue = true;
    this.#start();
  }

  async #drain(): Promise<void> {
    try {
      do {
        // One turn of the event loop lets requests that arrived together become one group.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#runGroup(this.#nextGroup());
      } while (this.#queue.length > 0 || this.#auditIsDue);
    } finally {
      this.#running = undefined;
      if (this.#audit.length > 0) this.#startLater();
    }
  }

  #nextGroup(): Waiting[] {
    let changes = 0;
    let units = 0;
    for (const unit of this.#queue) {
      if (units > 0 && changes + unit.changes.length > CHANGES_PER_GROUP) break;
      changes += Math.max(1, unit.changes.length);
      units += 1;
    }
    return this.#queue.splice(0, units);
  }

  async #runGroup(units: readonly Waiting[]): Promise<void> {
    const changes = units.some((unit) => unit.changes.length > 0);
    // A change that somebody waits for takes some along; the others come after it.
    const records = this.#takeAudit(changes ? AUDIT_BATCH : Number.POSITIVE_INFINITY);
    if (units.length === 0 && records.length === 0) return;
    const { engine } = this.#options;
    try {
      // Before the transaction, which others wait for.
      const asked = await this.#patients.complete(engine.reader, records);
      if (units.length === 0 && engine.append) {
        for (let done = 0; done < asked.length; done += ELSEWHERE.batch) {
          await engine.append(asked.slice(done, done + ELSEWHERE.batch));
          records.splice(0, ELSEWHERE.batch);
        }
        return;
      }
      const results = await this.#writeGroup(units, asked);
      this.#settle(units, results);
    } catch (error) {
      this.#audit = [...records, ...this.#audit];
      // A value that the database refuses shows only when the rows of all are written: then each unit goes alone.
      if (units.length > 1 && !isOutage(error)) {
        for (const unit of units) await this.#runGroup([unit]);
        return;
      }
      if (units.length === 0) this.#options.log.error({ err: error, records: records.length }, 'audit not written');
      for (const unit of units) unit.reject(error);
    }
  }

  /** Lightly first: when something stays of a unit that failed, the transaction is taken back and done with care. */
  async #writeGroup(units: readonly Waiting[], asked: readonly AuditEntry[]): Promise<Result[]> {
    const lightly = this.#careful === 0;
    this.#careful = Math.max(0, this.#careful - 1);
    try {
      return await this.#transact(units, asked, lightly);
    } catch (error) {
      if (!(error instanceof Tainted)) throw error;
      this.#careful = CAREFUL_GROUPS;
      return this.#transact(units, asked, false);
    }
  }

  #transact(units: readonly Waiting[], asked: readonly AuditEntry[], lightly: boolean): Promise<Result[]> {
    const { engine, inForce } = this.#options;
    return inForce.write((check) =>
      engine.write(async (tx) => {
        if (units.some(({ changes }) => changes.length > 0)) await check(tx);
        const group = await this.#openGroup(tx);
        // In the process's own files what is referred to is looked up one by one: most of it is the same again and again.
        const integrity = tx.dialect === 'sqlite' ? 'off' : group.rules.referentialIntegrity;
        await group.current.load(foresee(units, integrity));
        const results: Result[] = [];
        for (const unit of units) results.push(await this.#runUnit(group, unit, lightly));
        await appendAudit(tx, [...asked, ...(await this.#patients.complete(tx, group.audit))]);
        return results;
      }),
    );
  }

  async #openGroup(tx: Transaction): Promise<Group> {
    const [head] = await tx.all(HEAD);
    const now = Math.max(this.#options.clock.now().epochMilliseconds, Number(head?.updated ?? 0));
    const current = new CurrentRows(tx);
    return { tx, rules: this.#options.rules, now, current, sequence: Number(head?.sequence ?? 0), audit: [] };
  }

  async #runUnit(group: Group, unit: Unit, lightly: boolean): Promise<Result> {
    const { sequence } = group;
    const audits = group.audit.length;
    group.current.begin();
    try {
      return { outcomes: await group.tx.attempt(() => commitUnit(group, unit), lightly) };
    } catch (error) {
      // When the engine has given up the whole transaction, as on a full disk, so must the group.
      if (group.tx.isBroken || error instanceof Tainted) throw error;
      group.current.undo();
      group.sequence = sequence;
      group.audit.length = audits;
      return { error };
    }
  }

  #settle(units: readonly Waiting[], results: readonly Result[]): void {
    let written = false;
    for (const [index, unit] of units.entries()) {
      const result = results[index];
      if (!result || 'error' in result) unit.reject(result?.error);
      else {
        written ||= result.outcomes.some((outcome) => outcome.written);
        unit.resolve(result.outcomes);
      }
    }
    if (written) this.#options.onWritten();
  }

  /** The oldest, `most` at most. */
  #takeAudit(most: number): AuditEntry[] {
    if (this.#audit.length > most) return this.#audit.splice(0, most);
    clearTimeout(this.#auditTimer);
    this.#auditTimer = undefined;
    this.#auditIsDue = false;
    const records = this.#audit;
    this.#audit = [];
    return records;
  }
}

/** Whether the database as a whole is in trouble, so that trying the units again one by one would only take longer. */
function isOutage(error: unknown): boolean {
  return error instanceof Fault && (error.kind === 'unavailable' || error.kind === 'timeout');
}

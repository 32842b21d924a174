// Appends audit records to a SQLite file on a thread of its own: hashing, writing their rows and indexes and waiting for the disk
// take longer than answering the reads that they are about, and none of it holds up the event loop there. The thread is
// started by the first burst, so that who reads little keeps no thread.
import { Worker } from 'node:worker_threads';
import { Fault } from '../fault.ts';
import type { AuditEntry } from './audit-entry.ts';
import { READY, type Refusal } from './sqlite-audit-messages.ts';

const SCRIPT = new URL('./sqlite-audit-thread.ts', import.meta.url);
/** Records at once that start the thread. */
const BURST = 200;
/** The most that it may use: the records of one batch, should all have long queries. */
const MEMORY = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };

export class SqliteAuditWriter {
  readonly #path: string;
  #thread: Worker | undefined;
  #answered: PromiseWithResolvers<Refusal | undefined> | undefined;
  #isReady = false;
  #hasFailed = false;

  /** @param path of the database */
  constructor(path: string) {
    this.#path = path;
  }

  /** False until there is a thread that is ready, which the first burst starts. */
  isWorthwhile(entries: readonly AuditEntry[]): boolean {
    if (entries.length >= BURST && !this.#hasFailed) this.#thread ??= this.#start();
    return this.#isReady;
  }

  /**
   * One batch at a time, when it is worthwhile and while nobody else of this process writes. Resolves when they are on disk.
   * @throws Fault unavailable; any other error when the thread has ended, which then is not started again. Should that be
   * between the commit and its answer, who tries again writes the batch a second time: better than not at all.
   */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    const thread = this.#thread;
    if (!thread) throw new Error('The thread that writes the audit trail is not there.');
    const answered = Promise.withResolvers<Refusal | undefined>();
    this.#answered = answered;
    thread.ref();
    try {
      thread.postMessage(JSON.stringify(entries));
      const refusal = await answered.promise;
      if (refusal) throw refusal.isUnavailable ? new Fault('unavailable', refusal.message) : new Error(refusal.message);
    } finally {
      this.#answered = undefined;
      thread.unref();
    }
  }

  /** Ends the thread; nothing may be under way. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#forget();
    if (!thread) return;
    thread.ref();
    await new Promise<void>((resolve) => {
      thread.once('exit', () => resolve());
      thread.postMessage(undefined);
    });
  }

  #start(): Worker {
    const thread = new Worker(SCRIPT, {
      workerData: this.#path,
      name: 'audit',
      env: {},
      execArgv: [],
      resourceLimits: MEMORY,
    });
    const failed = (error: Error) => {
      this.#forget();
      this.#answered?.reject(error);
    };
    thread.on('message', (said: typeof READY | Refusal | undefined) => {
      if (said === READY) this.#isReady = true;
      else this.#answered?.resolve(said);
    });
    thread.on('error', failed);
    thread.on('exit', () => failed(new Error('The thread that writes the audit trail has ended.')));
    thread.unref();
    return thread;
  }

  #forget(): void {
    this.#thread = undefined;
    this.#isReady = false;
    this.#hasFailed = true;
  }
}

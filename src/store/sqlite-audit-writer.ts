// Appends audit records to a SQLite file on a thread of its own: hashing, writing their rows and indexes and waiting for the disk
// take longer than answering the reads that they are about, and none of it holds up the event loop there. The thread is
// started by the first burst, so that who reads little keeps no thread.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Fault } from '../fault.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { Refusal } from './sqlite-audit-thread.ts';

const SCRIPT = new URL('./sqlite-audit-thread.ts', import.meta.url);
/** Fewer at once are written as quickly here, as long as there is no thread. */
const BURST = 200;
/** It keeps nothing but the records of one batch. */
const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

export class SqliteAuditWriter {
  readonly #path: string;
  #thread: Worker | undefined;
  #answered: PromiseWithResolvers<Refusal | undefined> | undefined;
  #hasFailed = false;

  /** @param path of the database */
  constructor(path: string) {
    this.#path = path;
  }

  isWorthwhile(entries: readonly AuditEntry[]): boolean {
    return !this.#hasFailed && (this.#thread !== undefined || entries.length >= BURST);
  }

  /**
   * One batch at a time, while nobody else of this process writes. Resolves when they are on disk.
   * @throws Fault unavailable; any other error when the thread has ended, which then is not started again
   */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
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
    this.#thread = undefined;
    this.#hasFailed = true;
    if (!thread) return;
    const ended = once(thread, 'exit');
    thread.postMessage(undefined);
    await ended;
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
      this.#thread = undefined;
      this.#hasFailed = true;
      this.#answered?.reject(error);
    };
    thread.on('message', (refusal: Refusal | undefined) => this.#answered?.resolve(refusal));
    thread.on('error', failed);
    thread.on('exit', () => failed(new Error('The thread that writes the audit trail has ended.')));
    return thread;
  }
}

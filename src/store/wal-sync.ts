// Puts SQLite's write-ahead log on disk on a thread of its own, for commits that did not wait for the disk: the event loop
// stands still for none of it. https://www.sqlite.org/wal.html
import { type FileHandle, open } from 'node:fs/promises';

export class WalSync {
  readonly #path: string;
  #file: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #hasFailed = false;

  /** @param path of the database, whose log must stay the same file until `close` */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /** An attempt has failed: from now on each commit has to wait for the disk itself, and says what is wrong. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** What is committed now will be on disk a moment later. */
  ask(): void {
    this.#isAsked = true;
    this.#running ??= this.#run();
  }

  /** Lets go of the file; resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.#running;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #run(): Promise<void> {
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        this.#file ??= await open(this.#path, 'r+');
        await this.#file.datasync();
      }
    } catch {
      this.#hasFailed = true;
    } finally {
      this.#running = undefined;
    }
  }
}

// Who holds a lease: the token names machine and process, so that after a crash the next process on the same machine need
// not wait for the lease of a dead one to run out.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

const STARTED = randomUUID();
const TOKEN = /^(.+)\/(\d+)\/([0-9a-f-]{36})\/[0-9a-f-]{36}$/;

/** A token that nobody else has: `host/pid/start/uuid`. */
export function newToken(): string {
  return `${hostname()}/${process.pid}/${STARTED}/${randomUUID()}`;
}

/**
 * True when the process that made the token surely runs no more. Of another machine's process nothing is sure, and a
 * process id that is in use again may be the holder's.
 */
export function isAbandoned(token: string): boolean {
  const [, host, pid, started] = TOKEN.exec(token) ?? [];
  if (host !== hostname()) return false;
  if (Number(pid) === process.pid) return started !== STARTED;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

// Who holds a lease: the token names machine and process, so that after a crash the next process on the same machine need
// not wait for the lease of a dead one to run out.
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const STARTED = randomUUID();
const MACHINE = machine();
const TOKEN = /^(.+)\/(\d+)\/([0-9a-f-]{36})\/[0-9a-f-]{36}$/;

/** A token that nobody else has: `machine/pid/start/uuid`. */
export function newToken(): string {
  return `${MACHINE}/${process.pid}/${STARTED}/${randomUUID()}`;
}

/**
 * True when the process that made the token surely runs no more. Of another machine's process nothing is sure, and a
 * process id that is in use again may be the holder's.
 */
export function isAbandoned(token: string): boolean {
  const [, place, pid, started] = TOKEN.exec(token) ?? [];
  if (place !== MACHINE) return false;
  if (Number(pid) === process.pid) return started !== STARTED;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Where process ids mean the same as here. Two containers may have one host name and each a process 1 of its own, so on
 * Linux the boot and the namespace of process ids count as well.
 */
function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()}@${boot}@${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

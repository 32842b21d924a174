// Where databases of the simulated year lie: in memory where there is such a folder. Processes are killed in that year, not the
// machine, so nothing has to reach a disk.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function fastDatabase(): Promise<{ readonly url: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'baton-year-'));
  return {
    url: `sqlite:${join(directory, 'baton.db')}`,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

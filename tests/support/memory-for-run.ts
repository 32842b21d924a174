// Where a run keeps its temporary folders (globalSetup): in memory where there is room, because most of what a test waits for
// is a commit that reaches the disk. What tests check survives the end of a process, which needs no disk.
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly temporaryFolder: string;
  }
}

const MEMORY = '/dev/shm';
/** Bytes that have to be free: many times what the tests that run at one moment write. */
const ROOM = 2 ** 30;
const SPARE = 4 * ROOM;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join((await hasRoom()) ? MEMORY : tmpdir(), 'baton-tests-'));
  // PostgreSQL, which is not run by root, has to find its own folder in it.
  await chmod(folder, 0o711);
  project.provide('temporaryFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}

async function hasRoom(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize > ROOM && process.availableMemory() > SPARE;
  } catch {
    return false;
  }
}

// The simulated EHR's memory on disk: one line per unit of work, written and synced before anybody hears of it.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';

/** One version of one resource, as history will show it. */
export interface EhrVersion {
  readonly op: 'create' | 'update' | 'delete';
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly lastUpdated: string;
  /** Absent for a delete. */
  readonly resource?: Resource;
}

export interface Journal {
  /** Durable when it resolves; after a rejection nothing of `versions` is in the file. */
  append(versions: readonly EhrVersion[]): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** What earlier runs wrote, oldest first. */
  readonly versions: EhrVersion[];
}

/**
 * Opens or creates the file and reads it. A last line that a crash cut short was never acknowledged and is cut off; a
 * broken line before it means that the file was damaged and stops the start.
 * @param path undefined keeps nothing (in-memory runs)
 * @throws Fault fault
 */
export async function openJournal(path: string | undefined): Promise<OpenedJournal> {
  if (path === undefined) return { journal: { append: async () => {}, close: async () => {} }, versions: [] };
  const handle = await open(path, constants.O_CREAT | constants.O_RDWR, 0o600);
  const content = await readFile(path);
  const whole = content.lastIndexOf(0x0a) + 1;
  if (whole < content.length) await truncate(path, whole);
  const lines = content.subarray(0, whole).toString('utf8').split('\n').filter(Boolean);
  try {
    return { journal: appendTo(handle, whole), versions: lines.flatMap((line, index) => parseLine(line, index, path)) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function parseLine(line: string, index: number, path: string): EhrVersion[] {
  try {
    return JSON.parse(line) as EhrVersion[];
  } catch (cause) {
    throw new Fault('fault', `${path} is damaged at line ${index + 1}. Delete it to start with an empty sandbox EHR.`, {
      cause,
    });
  }
}

function appendTo(handle: FileHandle, start: number): Journal {
  let end = start;
  return {
    async append(versions) {
      const bytes = Buffer.from(`${JSON.stringify(versions)}\n`);
      try {
        await handle.write(bytes, 0, bytes.length, end);
        await handle.datasync();
        end += bytes.length;
      } catch (error) {
        await handle.truncate(end);
        throw error;
      }
    },
    close: () => handle.close(),
  };
}

// A reminder was asked for, or has been taken back: rows for the first channel, or none any more. One commit with the place
// in the log, so none is lost and none comes twice.
import type { CommunicationRequest } from '@medplum/fhirtypes';
import { parseVersion } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import type { LogEntry, Statement } from '../store/store.ts';
import { dropRows, hasOpenRows, insertRow } from './notification-rows.ts';
import { ACTOR, type Parts } from './parts.ts';
import { rowsOf } from './route-of.ts';

export async function onRequest(parts: Parts, entry: LogEntry, advance: Statement): Promise<boolean> {
  if (entry.type !== 'CommunicationRequest') return false;
  const { store, clock } = parts;
  const asked = entry.operation === 'delete' ? undefined : parseVersion(entry, 'CommunicationRequest');
  if (asked?.status === 'active') {
    if (!isReminder(asked) || (await isAskedAlready(parts, entry, asked))) return false;
    const rows = await rowsOf(parts, { ...asked, id: entry.id }, 0);
    const now = clock.real().epochMilliseconds;
    if (rows.length === 0) return false;
    await store.commit(ACTOR, [], [...rows.map((row) => insertRow(row, now)), advance]);
    return true;
  }
  if (!(await hasOpenRows(store, entry.id))) return false;
  await store.commit(ACTOR, [], [dropRows(entry.id), advance]);
  return true;
}

/** Whatever else people ask to be communicated is no business of the channels. */
function isReminder({ identifier }: CommunicationRequest): boolean {
  return identifier?.some(({ system }) => system === IDENTIFIER.reminder) ?? false;
}

/** Asked for by the version before, too: something else about it has changed, such as the plan that it belongs to. */
async function isAskedAlready({ store }: Parts, { id, versionId }: LogEntry, asked: CommunicationRequest) {
  if (versionId === '1') return false;
  const version = await store.vread('CommunicationRequest', id, String(Number(versionId) - 1));
  if (!version || version.operation === 'delete') return false;
  const before = parseVersion(version, 'CommunicationRequest');
  return before.status === 'active' && isReminder(before) && namesOf(before) === namesOf(asked);
}

const namesOf = ({ recipient = [] }: CommunicationRequest) =>
  recipient.map(({ reference }) => reference ?? '').join(' ');

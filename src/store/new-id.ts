// Ids of what is created: UUIDs that begin with the time, so that what one commit creates is next to each other in every index
// by id. Random ones would each touch a page of their own, in three or four indexes. The machine's time, as for tokens: it
// orders pages and rules nothing. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
import { randomUUIDv7 } from 'node:crypto';

/** An id that nothing has, and nobody can guess: 74 of its bits are random. */
export function newId(): string {
  return randomUUIDv7();
}

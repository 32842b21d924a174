// In which order the types of a connection are pulled.
import { type Connection, pulls } from '../connections/settings.ts';

/** Before the rest, because the scope of the others depends on who is known. */
const FIRST = ['Organization', 'Practitioner', 'PractitionerRole', 'Patient'];

export function typesInOrder(connection: Connection): string[] {
  const rank = (type: string) => (comesFirst(type) ? FIRST.indexOf(type) : FIRST.length);
  return Object.keys(connection.types)
    .filter((type) => pulls(connection, type))
    .sort((a, b) => rank(a) - rank(b));
}

/** Whether the others wait until it has been read. */
export function comesFirst(type: string): boolean {
  return FIRST.includes(type);
}

// The key that `next` links are signed with: one for each database, so that a link works after a restart and with every
// process, and nobody can make one up.
import { randomBytes } from 'node:crypto';
import type { Sql } from '../sql.ts';

const READ = "SELECT value FROM setting WHERE key = 'cursor-key'";
const WRITE = "INSERT INTO setting (key, value) VALUES ('cursor-key', ?) ON CONFLICT DO NOTHING";

/** Reads the key, and makes it when the database has none yet. */
export async function openCursorKey(tx: Sql): Promise<string> {
  const [known] = await tx.all(READ);
  if (known) return String(known.value);
  await tx.run(WRITE, [randomBytes(32).toString('base64url')]);
  const [made] = await tx.all(READ);
  return String(made?.value);
}

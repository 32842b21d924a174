// Links of a connection's name lead to ids of one server; on another one the same ids are other patients. So a name moves to
// another server only while nothing there is known by it, and what is under way at the old one writes nothing any more.
import { asFault, Fault } from '../../fault.ts';
import type { Actor, SqlValue, Statement, Store } from '../../store/store.ts';
import { readFact, saveFact } from '../pull/remote-fact.ts';
import { actorOf, type Connection } from './settings.ts';

type Addressed = Pick<Connection, 'name' | 'baseUrl' | 'formerBaseUrls'>;

const FACT = 'address';
const KNOWN_BY = ['identity', 'held_resource', 'projection', 'patient_merge']
  .map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE connection = ?)`)
  .concat("EXISTS (SELECT 1 FROM conflict WHERE connection = ? AND state = 'open')");
const KNOWN = KNOWN_BY.join(' OR ');
/** What is remembered of a server besides: how far it was read, what it can do, and what it was sent. */
const REMEMBERED = [
  ...['checkpoint', 'roster', 'remote_fact', 'hint', 'hint_source', 'delete_probe', 'bulk_job', 'bulk_file'],
  ...['unresolved_reference', 'not_the_same', 'fed_type'],
];

export function pullLease(connection: string): string {
  return `pull:${connection}`;
}

/** Whether both addresses are those of one server, as far as the connection says. */
export function isSameServer({ baseUrl, formerBaseUrls = [] }: Addressed, known: string): boolean {
  return [baseUrl, ...formerBaseUrls].some((url) => plain(url) === plain(known));
}

/**
 * For a commit that gives the name another server.
 * @returns statements of which the last fails with a conflict when something there is known by the name
 */
export function moveAway(name: string): Statement[] {
  const of = (sql: string, ...params: SqlValue[]): Statement => ({ sql, params });
  return [
    // Who pulls has lost its lease, and who sends its claim.
    of('DELETE FROM lease WHERE name = ?', pullLease(name)),
    of(
      `UPDATE outbox SET state = 'queued', lease_token = NULL, lease_until = NULL, fault_class = NULL, probed_at = NULL,
        attempts = 0, next_at = 0 WHERE connection = ? AND state IN ('queued', 'sending')`,
      name,
    ),
    // What was tried there, and ended without anybody having looked.
    of(
      "UPDATE outbox SET fault_class = NULL WHERE connection = ? AND state = 'superseded' AND fault_class = 'ambiguous'",
      name,
    ),
    ...REMEMBERED.map((table) => of(`DELETE FROM ${table} WHERE connection = ?`, name)),
    {
      sql: `INSERT INTO remote_fact (connection, name, value, at) SELECT ?, '${FACT}', '', 0 WHERE NOT (${KNOWN})`,
      params: [name, ...KNOWN_BY.map(() => name)],
      rows: 1,
    },
  ];
}

/** @throws Fault conflict when the name has links to another server than the one it is to have now */
export async function refuseOtherServer(
  store: Pick<Store, 'query'>,
  connection: Addressed,
  known: string | undefined,
): Promise<void> {
  const { name } = connection;
  if (known === undefined || known === '' || isSameServer(connection, known)) return;
  const [row] = await store.query(
    `SELECT 1 AS known WHERE ${KNOWN}`,
    KNOWN_BY.map(() => name),
  );
  if (!row) return;
  const sentence = `Resources are linked to ${known} under the name "${name}", and their ids mean something else on another server. Make a connection with another name; or, if it is the same server under a new address, name the old one in formerBaseUrls.`;
  throw new Fault('conflict', sentence, { expression: 'Connection.baseUrl' });
}

/**
 * Before a run of a process whose configuration may have changed, or may be another one than that of the others.
 * @param now epoch milliseconds of the machine's clock
 * @throws Fault conflict
 */
export async function keepToServer(store: Store, connection: Connection, now: number): Promise<void> {
  const { name, baseUrl } = connection;
  const known = (await readFact(store, name, FACT))?.value;
  if (known !== undefined && plain(known) === plain(baseUrl)) return;
  await refuseOtherServer(store, connection, known);
  const isOther = known !== undefined && known !== '' && !isSameServer(connection, known);
  const moving = isOther ? moveAway(name) : [];
  const saved = saveFact(name, FACT, baseUrl, now);
  await commitMove(store, actorOf(connection), [...moving, saved], connection, known);
}

/** @throws Fault conflict; says why, when something there has become known meanwhile */
export async function commitMove(
  store: Store,
  actor: Actor,
  statements: readonly Statement[],
  connection: Addressed,
  known: string | undefined,
): Promise<void> {
  try {
    await store.commit(actor, [], statements);
  } catch (error) {
    if (asFault(error).kind === 'conflict') await refuseOtherServer(store, connection, known);
    throw error;
  }
}

const plain = (url: string) => url.replace(/\/+$/, '');

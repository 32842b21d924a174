// Commands that were carried out, by the key their sender gave them: one that is sent again is answered again and not
// carried out again. The row is written by the commit itself, so that it stands or falls with what it tells of.
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
import { createHash } from 'node:crypto';
import type { Grant } from '../../access/grant.ts';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { canonicalJson, type Json } from '../../fhir/canonical-json.ts';
import { BATON, type Outcome, type Statement, type Store } from '../../store/store.ts';

/** A command that waits longer than this to be sent again is a new one. */
const KEPT = Temporal.Duration.from({ hours: 24 * 7 });

export interface Sent {
  /** Issuer, application and person: keys of others mean nothing here. */
  readonly caller: string;
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly request: string;
}

export interface Done {
  readonly status: number;
  readonly type: string;
  readonly id: string;
  readonly version: string;
}

const HEADER = 'Idempotency-Key';
/** Printable ASCII; the quotes of a structured header are taken off. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws Fault invalid when the header is missing, or is no key */
export function keyIn(header: string | readonly string[] | undefined): string {
  if (header === undefined) {
    throw wrong(
      `Send the header ${HEADER} with a value of your own that no other command has, e.g. a UUID, and the same value when ` +
        'you send the command again.',
      'required',
    );
  }
  const key = typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : '';
  if (KEY.test(key)) return key;
  throw wrong(`${HEADER} must be 1 to 255 visible ASCII characters.`, 'value');
}

const wrong = (sentence: string, code: 'required' | 'value') =>
  new Fault('invalid', sentence, { code, expression: HEADER });

export function sentBy(
  { issuer, client, actor }: Grant,
  key: string,
  request: readonly [string, string, unknown],
): Sent {
  const [method, url, body] = request;
  const text = `${method} ${url}\n${canonicalJson(body as Json | undefined)}`;
  return {
    caller: `${issuer ?? ''} ${client ?? ''} ${actor.reference}`,
    key,
    request: createHash('sha256').update(text).digest('hex'),
  };
}

/**
 * What became of the command when it was sent before.
 * @throws Fault unprocessable when the key was another command's
 */
export async function findDone(store: Pick<Store, 'query'>, { caller, key, request }: Sent): Promise<Done | undefined> {
  const [row] = await store.query(
    'SELECT request, status, type, id, version FROM api_command WHERE caller = ? AND key = ?',
    [caller, key],
  );
  if (!row) return undefined;
  if (row.request !== request) {
    throw new Fault('unprocessable', `This ${HEADER} was used for another command; give each command its own.`, {
      code: 'business-rule',
      expression: HEADER,
    });
  }
  return { status: Number(row.status), type: String(row.type), id: String(row.id), version: String(row.version) };
}

/** For `alongside`: the commit fails with a conflict when the command is there already. */
export function keepDone(sent: Sent, status: number, { type, id, versionId }: Outcome, clock: Clock): Statement {
  return {
    sql: `INSERT INTO api_command (caller, key, request, status, type, id, version, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (caller, key) DO NOTHING`,
    params: [sent.caller, sent.key, sent.request, status, type, id, versionId, clock.real().epochMilliseconds],
    rows: 1,
  };
}

/** Forgets commands that nobody sends again any more. */
export async function forgetCommands(store: Pick<Store, 'query' | 'commit'>, clock: Clock): Promise<void> {
  const before = clock.real().subtract(KEPT).epochMilliseconds;
  const [row] = await store.query('SELECT 1 AS found FROM api_command WHERE at < ? LIMIT 1', [before]);
  if (!row) return;
  await store.commit(BATON, [], [{ sql: 'DELETE FROM api_command WHERE at < ?', params: [before] }]);
}

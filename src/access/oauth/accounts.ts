// The people who may sign in to Baton itself, and those whom the site's own identity provider vouches for.

import { randomUUID } from 'node:crypto';
import { Fault } from '../../fault.ts';
import { type Actor, BATON, type SqlRow, type Store } from '../../store/store.ts';
import { hashPassword, isPassword, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, type PasswordCost } from './passwords.ts';
import type { StateTable } from './state-table.ts';

export interface Account {
  /** `sub` of the tokens; never changes. */
  readonly id: string;
  /** Absent for people of an identity provider. */
  readonly username?: string | undefined;
  /** `Practitioner/12`: who this is in FHIR. */
  readonly fhirUser: string;
  readonly disabled: boolean;
}

export interface Accounts {
  find(id: string): Promise<Account | undefined>;
  list(): Promise<Account[]>;
  /** The account when name and password fit and it is not disabled. Takes the same time whatever is wrong. */
  verify(username: string, password: string): Promise<Account | undefined>;
  /** The account of somebody whom an identity provider vouches for; made when it is new. Disabled ones too. */
  vouchedFor(issuer: string, subject: string, fhirUser: string): Promise<Account>;
  /** @throws Fault invalid, conflict when the name is taken */
  add(actor: Actor, username: string, fhirUser: string, password: string): Promise<Account>;
  /** Ends what the person has open, too. @throws Fault not-found | invalid */
  setPassword(actor: Actor, username: string, password: string): Promise<void>;
  /** By name or id. At once: tokens and sessions of the account stop working. @throws Fault not-found */
  disable(actor: Actor, username: string): Promise<void>;
}

const COLUMNS = 'id, username, password, fhir_user, disabled';
const BY_OUTSIDER = `SELECT ${COLUMNS} FROM oauth_account WHERE issuer = ? AND subject = ?`;
const PUT_OUTSIDER = `INSERT INTO oauth_account (id, fhir_user, disabled, issuer, subject) VALUES (?, ?, 0, ?, ?)
  ON CONFLICT (issuer, subject) DO UPDATE SET fhir_user = excluded.fhir_user`;
const INSERT = `INSERT INTO oauth_account (id, username, password, fhir_user, disabled) VALUES (?, ?, ?, ?, 0)
  ON CONFLICT (username) DO NOTHING`;
const FHIR_USER = /^(Practitioner|PractitionerRole|Patient|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}$/;

/** @param cost what a password costs to check; absent: as much as it should */
export function createAccounts(
  store: Pick<Store, 'query' | 'commit'>,
  table: StateTable,
  cost?: PasswordCost,
): Accounts {
  const select = async (where: string, params: readonly string[]) => {
    const [row] = await store.query(`SELECT ${COLUMNS} FROM oauth_account WHERE ${where}`, params);
    return row;
  };
  const named = async (username: string): Promise<Account> => {
    const row = await select('username = ?', [username]);
    if (!row) throw new Fault('not-found', `There is no user ${username}.`);
    return accountOf(row);
  };
  return {
    async find(id) {
      const row = await select('id = ?', [id]);
      return row && accountOf(row);
    },
    async list() {
      const rows = await store.query(`SELECT ${COLUMNS} FROM oauth_account ORDER BY username, id`);
      return rows.map(accountOf);
    },
    async verify(username, password) {
      const row = await select('username = ?', [username]);
      const fits = await isPassword(password, row?.password ? String(row.password) : undefined, cost);
      const account = row && accountOf(row);
      return fits && account && !account.disabled ? account : undefined;
    },
    async vouchedFor(issuer, subject, fhirUser) {
      if (!isFhirUser(fhirUser))
        throw new Fault('forbidden', 'The identity provider does not say who this is in FHIR.');
      await store.commit(BATON, [], [{ sql: PUT_OUTSIDER, params: [randomUUID(), fhirUser, issuer, subject] }]);
      const [row] = await store.query(BY_OUTSIDER, [issuer, subject]);
      if (!row) throw new Error('The account was removed while it was read.');
      return accountOf(row);
    },
    async add(actor, username, fhirUser, password) {
      if (!/^[\w.@+-]{1,128}$/.test(username)) {
        throw new Fault('invalid', 'A user name has letters, digits and . _ @ + - only, at most 128 of them.');
      }
      if (!isFhirUser(fhirUser)) throw new Fault('invalid', `${fhirUser} must be like Practitioner/12 or Patient/3.`);
      const id = randomUUID();
      const params = [id, username, await hashPassword(checked(password), cost), fhirUser];
      await store.commit(actor, [], [{ sql: INSERT, params, rows: 1 }]).catch((error) => {
        if (!(error instanceof Fault && error.kind === 'conflict')) throw error;
        throw new Fault('conflict', `There is a user ${username} already.`);
      });
      return { id, username, fhirUser, disabled: false };
    },
    async setPassword(actor, username, password) {
      const { id } = await named(username);
      const params = [await hashPassword(checked(password), cost), id];
      await store.commit(actor, [], [{ sql: 'UPDATE oauth_account SET password = ? WHERE id = ?', params }]);
      await table.removeOf('account', id);
    },
    async disable(actor, username) {
      // People of an identity provider have no name here.
      const outsider = await select('id = ? AND username IS NULL', [username]);
      const { id } = outsider ? accountOf(outsider) : await named(username);
      await store.commit(actor, [], [{ sql: 'UPDATE oauth_account SET disabled = 1 WHERE id = ?', params: [id] }]);
      await table.removeOf('account', id);
    },
  };
}

/** True for a reference to somebody who can sign in. */
export const isFhirUser = (reference: string): boolean => FHIR_USER.test(reference);

/** @throws Fault invalid */
function checked(password: string): string {
  if (password.length >= MIN_PASSWORD_LENGTH && password.length <= MAX_PASSWORD_LENGTH) return password;
  throw new Fault('invalid', `A password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters.`);
}

function accountOf(row: SqlRow): Account {
  return {
    id: String(row.id),
    username: row.username === null ? undefined : String(row.username),
    fhirUser: String(row.fhir_user),
    disabled: Number(row.disabled) !== 0,
  };
}

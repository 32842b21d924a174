// Guessing made slow. Failures are counted for an account from one address, for the account from anywhere, and for the
// address; past a number that people do not reach, each failure closes the door for twice as long as the one before, up to a
// bound. Nobody can keep the owner of an account out: an address from which it was opened lately answers only for itself.
// Counts are kept in memory, per process, and there is room for so many of them only.
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';

/** `token`: bearer tokens. `client`: secrets and assertions of OAuth clients. `login`: passwords of people. */
export type Attempt = 'token' | 'client' | 'login';

export interface Trier {
  /** Network address. */
  readonly address: string;
  /** User name, as given; absent when the attempt names none that counts. */
  readonly account?: string;
}

export interface FailedAttempts {
  /** True while no failure of anybody is remembered, and `check` would have nothing to say of a token. */
  isQuiet(): boolean;
  /**
   * Call before looking at the credentials. A `login` counts as failed from here on until `succeeded` says otherwise, so
   * that guesses which are sent all at once are not all let through before the first has failed.
   * @returns failures that are remembered of the address, 0 as a rule
   * @throws Fault throttled, with `retryAfterSeconds` in its context
   */
  check(kind: Attempt, trier: Trier): number;
  failed(kind: Attempt, trier: Trier): void;
  /** Forgets the failures of the account. */
  succeeded(kind: Attempt, trier: Trier): void;
}

interface Rule {
  /** Failures within the window that cost nothing. */
  readonly free: number;
  readonly longestSeconds: number;
}

type Level = 'pair' | 'account' | 'address';

const RULES: Readonly<Record<Attempt, Readonly<Partial<Record<Level, Rule>>>>> = {
  login: {
    pair: { free: 5, longestSeconds: 300 },
    account: { free: 50, longestSeconds: 60 },
    address: { free: 100, longestSeconds: 300 },
  },
  // Whoever guesses chooses which client to name; a token names nobody until it is verified.
  client: { address: { free: 100, longestSeconds: 300 } },
  token: { address: { free: 200, longestSeconds: 60 } },
};

/** Failures are forgotten this long after the first of them. */
const WINDOW_MS = 15 * 60_000;
/** How long an address counts as one that the account is opened from. */
const PROVEN_MS = 30 * 24 * 3_600_000;
/** Entries of each table; past it the oldest are forgotten. About 10 MB. */
const CAPACITY = 20_000;

interface Entry {
  failures: number;
  readonly since: number;
  blockedUntil: number;
}

export function createFailedAttempts(clock: Clock): FailedAttempts {
  const entries = new Map<string, Entry>();
  const proven = new Map<string, number>();
  const now = () => clock.real().epochMilliseconds;
  /** When the last of them may be forgotten. */
  let rememberedUntil = 0;

  const find = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (!entry || Math.max(entry.since + WINDOW_MS, entry.blockedUntil) > now()) return entry;
    entries.delete(key);
    return undefined;
  };

  const count = (key: string, rule: Rule): void => {
    const entry = find(key) ?? { failures: 0, since: now(), blockedUntil: 0 };
    entry.failures += 1;
    const over = entry.failures - rule.free;
    if (over > 0) entry.blockedUntil = now() + 1000 * Math.min(rule.longestSeconds, 2 ** Math.min(over - 1, 20));
    rememberedUntil = Math.max(rememberedUntil, entry.since + WINDOW_MS, entry.blockedUntil);
    keep(entries, key, entry);
  };

  const countAll = (kind: Attempt, trier: Trier): void => {
    for (const { key, rule } of levelsOf(kind, trier)) count(key, rule);
  };

  return {
    isQuiet() {
      if (entries.size > 0 && now() >= rememberedUntil) entries.clear();
      return entries.size === 0;
    },
    check(kind, trier) {
      if (entries.size > 0) {
        const isProven = (proven.get(pairOf(kind, trier)) ?? 0) > now();
        for (const { level, key } of levelsOf(kind, trier)) {
          const wait = (find(key)?.blockedUntil ?? 0) - now();
          if (wait > 0 && (level === 'pair' || !isProven)) throw tooMany(kind, level, wait);
        }
      }
      if (kind === 'login') countAll(kind, trier);
      return entries.size === 0 ? 0 : (find(addressOf(kind, trier))?.failures ?? 0);
    },
    failed(kind, trier) {
      if (kind !== 'login') countAll(kind, trier);
    },
    succeeded(kind, trier) {
      for (const { level, key } of levelsOf(kind, trier)) {
        // The address keeps its count: whoever has one account could otherwise go on guessing at the others.
        const entry = level === 'address' ? find(key) : undefined;
        if (level !== 'address') entries.delete(key);
        else if (entry && kind === 'login') entry.failures -= 1;
      }
      if (trier.account !== undefined) keep(proven, pairOf(kind, trier), now() + PROVEN_MS);
    },
  };
}

function levelsOf(kind: Attempt, trier: Trier): { level: Level; key: string; rule: Rule }[] {
  const { pair, account, address } = RULES[kind];
  const named = trier.account !== undefined;
  return [
    ...(named && pair ? [{ level: 'pair', key: pairOf(kind, trier), rule: pair } as const] : []),
    ...(named && account ? [{ level: 'account', key: `${kind} account ${clip(trier)}`, rule: account } as const] : []),
    ...(address ? [{ level: 'address', key: addressOf(kind, trier), rule: address } as const] : []),
  ];
}

const addressOf = (kind: Attempt, { address }: Trier) => `${kind} address ${address}`;
const pairOf = (kind: Attempt, trier: Trier) => `${kind} pair ${trier.address} ${clip(trier)}`;
/** The name is the client's to choose; the table does not grow with it. */
const clip = ({ account = '' }: Trier) => account.slice(0, 256);

/** Puts the entry last and lets the oldest go. */
function keep<T>(table: Map<string, T>, key: string, value: T): void {
  table.delete(key);
  table.set(key, value);
  const [oldest] = table.keys();
  if (table.size > CAPACITY && oldest !== undefined) table.delete(oldest);
}

function tooMany(kind: Attempt, level: Level, waitMs: number): Fault {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new Fault('throttled', `Too many failed attempts. Try again in ${retryAfterSeconds} seconds.`, {
    context: { attempt: kind, counted: level, retryAfterSeconds },
  });
}

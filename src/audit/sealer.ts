// Makes seals, one process at a time: what is sealed cannot be written anew by somebody who has the database but not the
// signing key. A seal is first in the database, then in the file; a crash between the two is made up for by the next one.
import type { Logger } from 'pino';
import type { Keys } from '../access/keys.ts';
import type { Clock } from '../clock.ts';
import { type Lease, withLease } from '../store/lease.ts';
import type { Actor, Statement, Store } from '../store/store.ts';
import { digestOf, type Seal, signSeal } from './seal.ts';
import { fileSeals, lastFiled } from './seal-file.ts';
import { insertSeal, markFiled, newestSeal, sealsAfter } from './seal-rows.ts';

export interface SealerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly key: Keys['token'];
  /** Absent: seals are kept in the database only. */
  readonly file: string | undefined;
}

/** Seals what there is under a lease that the caller holds. */
export interface Sealer {
  /** Does `work` under the lease of who makes seals; false when another process has it. */
  alone(work: (lease: Lease) => Promise<void>): Promise<boolean>;
  /** Seals the newest record unless it is sealed already. @returns its seal's number */
  sealNewest(lease: Lease): Promise<number | undefined>;
  /** Writes one more seal, together with `alongside`. */
  add(
    lease: Lease,
    what: Pick<Seal, 'kind' | 'sequence' | 'hash' | 'from'>,
    alongside?: readonly Statement[],
  ): Promise<number>;
}

/** Baton, as who keeps the trail. */
export const TRAIL_ACTOR: Actor = { reference: 'Device/baton-audit', kind: 'service' };
const LEASE = Temporal.Duration.from({ seconds: 60 });
const HEAD = 'SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1';

export function createSealer({ store, clock, log, key, file }: SealerOptions): Sealer {
  async function alone(work: (lease: Lease) => Promise<void>): Promise<boolean> {
    const all = async (lease: Lease) => {
      await copyToFile();
      await work(lease);
    };
    return (await withLease(store, clock, 'audit-seal', LEASE, all)).held;
  }

  async function add(
    lease: Lease,
    what: Pick<Seal, 'kind' | 'sequence' | 'hash' | 'from'>,
    alongside: readonly Statement[] = [],
  ): Promise<number> {
    const last = await newestSeal(store);
    const seal: Seal = {
      number: (last?.number ?? 0) + 1,
      ...what,
      time: clock.real().toString({ fractionalSecondDigits: 3 }),
      previous: last ? digestOf(last.jws) : '',
    };
    const jws = await signSeal(key, seal);
    await store.commit(TRAIL_ACTOR, [], [lease.fence, insertSeal(seal, jws), ...alongside]);
    await copyToFile();
    return seal.number;
  }

  /** Brings the file up to the database. */
  async function copyToFile(): Promise<void> {
    const newest = await newestSeal(store);
    if (file === undefined || !newest) return;
    const { number: filed = 0 } = (await lastFiled(file)) ?? {};
    if (filed > newest.number) {
      log.error(
        { filed, newest: newest.number },
        'the file has seals that the database lacks: run `baton audit verify`',
      );
      return;
    }
    await fileSeals(file, await Array.fromAsync(sealsAfter(store, filed), ({ number, jws }) => ({ number, jws })));
    if (!newest.filed) await store.commit(TRAIL_ACTOR, [], [markFiled(newest.number)]);
  }

  return {
    alone,
    add,
    async sealNewest(lease) {
      const [head] = await store.query(HEAD);
      const last = await newestSeal(store, 'seal');
      const sequence = Number(head?.sequence ?? 0);
      if (sequence < (last?.sequence ?? 0)) {
        log.error(
          { newest: sequence, sealed: last?.sequence },
          'records of the audit trail are missing: run `baton audit verify`',
        );
        return undefined;
      }
      if (sequence === (last?.sequence ?? 0)) return undefined;
      return add(lease, { kind: 'seal', sequence, hash: String(head?.hash) });
    },
  };
}

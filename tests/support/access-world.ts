// Access beside real issuers, with a clock that a test moves.
import { type Access, type AccessOptions, createAccess } from '../../src/access/access.ts';
import type { Grant } from '../../src/access/grant.ts';
import type { Issuer } from '../../src/access/issuer.ts';
import { Fault } from '../../src/fault.ts';
import { testKeys } from './test-keys.ts';

export const BASE = 'http://127.0.0.1:8080';

/** For issuers that never answer; the others get all the time that a busy machine needs. */
export const IMPATIENT = { issuerTimeout: Temporal.Duration.from({ milliseconds: 200 }) } as const;

export interface AccessWorld {
  readonly access: Access;
  /** Seconds since 1970. */
  now(): number;
  /** Lets time pass. */
  pass(seconds: number): void;
  enter(token: string): Promise<Grant>;
  /** Kind and sentence of the refusal. */
  refusal(token: string): Promise<Fault>;
}

export async function accessWorld(issuers: readonly Issuer[], more: Partial<AccessOptions> = {}): Promise<AccessWorld> {
  let real = Temporal.Instant.from('2026-11-24T10:00:00Z');
  const access = createAccess({
    mode: 'smart',
    keys: await testKeys(),
    issuers,
    baseUrl: () => BASE,
    clock: { now: () => real, real: () => real },
    issuerTimeout: Temporal.Duration.from({ seconds: 20 }),
    ...more,
  });
  const enter = (token: string) => access.authenticate(`Bearer ${token}`);
  return {
    access,
    now: () => Math.floor(real.epochMilliseconds / 1000),
    pass(seconds) {
      real = real.add({ seconds });
    },
    enter,
    async refusal(token) {
      const outcome = await enter(token).catch((error: unknown) => error);
      if (outcome instanceof Fault) return outcome;
      throw outcome instanceof Error ? outcome : new Error('The token was let in.');
    },
  };
}

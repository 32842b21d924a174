// Guessing is slowed down, for an account, an address and both together; whoever owns the account gets in.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Attempt,
  createFailedAttempts,
  type FailedAttempts,
  type Trier,
} from '../../src/access/failed-attempts.ts';
import { Fault } from '../../src/fault.ts';

let attempts: FailedAttempts;
let seconds: number;

beforeEach(() => {
  seconds = 1_000_000;
  const real = () => Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
  attempts = createFailedAttempts({ now: real, real });
});

const NURSE = { address: '10.0.0.1', account: 'nurse' };

/** Seconds to wait, 0 when the attempt may go on. */
function waitOf(kind: Attempt, trier: Trier): number {
  try {
    attempts.check(kind, trier);
    return 0;
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'throttled') throw error;
    return Number(error.context?.retryAfterSeconds);
  }
}

/** Fails as often as asked, waiting where told to. Returns the waits. */
function fail(kind: Attempt, trier: Trier, times: number): number[] {
  return Array.from({ length: times }, () => {
    const wait = waitOf(kind, trier);
    seconds += wait;
    if (wait > 0) attempts.check(kind, trier);
    attempts.failed(kind, trier);
    return wait;
  });
}

describe('failed logins', () => {
  it('cost nothing at first, then twice as long each time, up to five minutes', () => {
    expect(fail('login', NURSE, 16)).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
  });

  it('are counted when they begin, so that guesses sent all at once are not all let through', () => {
    const waits = Array.from({ length: 20 }, () => waitOf('login', NURSE));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(6);
  });

  it('of an account are forgotten when it is opened', () => {
    fail('login', NURSE, 6);
    seconds += waitOf('login', NURSE);
    attempts.succeeded('login', NURSE);
    expect(fail('login', NURSE, 6)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('are forgotten after a quarter of an hour', () => {
    fail('login', NURSE, 5);
    seconds += 15 * 60;
    expect(fail('login', NURSE, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  it('from everywhere do not keep the owner out, who came from a known address', () => {
    attempts.check('login', NURSE);
    attempts.succeeded('login', NURSE);
    for (let i = 0; i < 60; i += 1) fail('login', { address: `172.16.0.${i}`, account: 'nurse' }, 1);
    expect(waitOf('login', { address: '172.16.1.1', account: 'nurse' })).toBeGreaterThan(0);
    expect(waitOf('login', NURSE)).toBe(0);
  });

  it('from everywhere close the account to strangers for a minute at most', () => {
    const waits = Array.from({ length: 65 }, (_, i) => fail('login', { address: `10.1.0.${i}`, account: 'nurse' }, 1));
    expect(Math.max(...waits.flat())).toBe(60);
  });

  it('of many accounts close the address, not other addresses', () => {
    for (let i = 0; i < 101; i += 1) fail('login', { address: '10.0.0.9', account: `user${i}` }, 1);
    expect(waitOf('login', { address: '10.0.0.9', account: 'another' })).toBeGreaterThan(0);
    expect(waitOf('login', { address: '10.0.0.8', account: 'another' })).toBe(0);
  });

  it('do not add up where people log in well', () => {
    for (let i = 0; i < 300; i += 1) {
      const trier = { address: '10.0.0.2', account: `nurse${i}` };
      expect(waitOf('login', trier)).toBe(0);
      attempts.succeeded('login', trier);
    }
  });
});

it('tokens are counted by address, after they have failed', () => {
  const trier = { address: '10.0.0.3' };
  for (let i = 0; i < 1_000; i += 1) expect(waitOf('token', trier)).toBe(0);
  expect(fail('token', trier, 208)).toEqual([...Array(201).fill(0), 1, 2, 4, 8, 16, 32, 60]);
});

it('is quiet again when everything is forgotten', () => {
  expect(attempts.isQuiet()).toBe(true);
  attempts.failed('token', { address: '10.0.0.4' });
  expect(attempts.isQuiet()).toBe(false);
  seconds += 15 * 60;
  expect(attempts.isQuiet()).toBe(true);
});

it('remembers only so much, whatever is sent', () => {
  for (let i = 0; i < 25_000; i += 1) attempts.failed('client', { address: `${i}`, account: `${i}`.repeat(50) });
  expect(attempts.check('client', { address: '0' })).toBe(0);
  expect(attempts.check('client', { address: '24999' })).toBe(1);
});

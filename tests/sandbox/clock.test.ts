// The sandbox's clock: moves forward over HTTP, settles before it answers, and never goes back over a restart.
import type { OperationOutcome } from '@medplum/fhirtypes';
import fc from 'fast-check';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClockMover } from '../../src/sandbox/clock-mover.ts';
import { mountClockRoutes } from '../../src/sandbox/clock-routes.ts';
import { FIRST_MORNING, openSandboxClock, type SandboxClock } from '../../src/sandbox/sandbox-clock.ts';
import { serve } from '../server/serve.ts';
import { temporaryFolder } from './ehr-server.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let clock: SandboxClock;

beforeEach(async () => {
  folder = await temporaryFolder();
  clock = openSandboxClock(folder.path);
});
afterEach(async () => {
  clock.stop();
  await folder.remove();
});

const isAtLeast = (one: Temporal.Instant, other: Temporal.Instant) => Temporal.Instant.compare(one, other) >= 0;

describe('position', () => {
  it('starts on the first morning and continues after a clean stop', () => {
    expect(FIRST_MORNING.until(clock.now()).total('seconds')).toBeLessThan(5);
    clock.moveTo(Temporal.Instant.from('2026-11-25T12:00:00Z'));
    clock.stop();
    clock = openSandboxClock(folder.path);
    expect(Temporal.Instant.from('2026-11-25T12:00:00Z').until(clock.now()).total('seconds')).toBeLessThan(5);
  });

  it('never goes back when the process is killed after any number of moves', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3600, max: 86_400 }), { maxLength: 8 }), (leaps) => {
        let latest = clock.now();
        for (const seconds of leaps) latest = clock.moveTo(clock.now().add({ seconds }));
        // Not stopped: as if killed.
        clock = openSandboxClock(folder.path);
        expect(isAtLeast(clock.now(), latest)).toBe(true);
        expect(latest.until(clock.now()).total('minutes')).toBeLessThan(2);
      }),
      { numRuns: 15 },
    );
  });
});

describe('/sandbox/clock', () => {
  const settled: string[] = [];
  const app = async () => {
    const server = Fastify();
    settled.length = 0;
    const mover = createClockMover(
      clock,
      async () => void settled.push(clock.now().toString({ smallestUnit: 'minute' })),
    );
    await mountClockRoutes(server, mover);
    return (body?: unknown) =>
      server.inject({
        method: body === undefined ? 'GET' : 'POST',
        url: '/sandbox/clock',
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
  };

  it('tells the time and moves by a duration or to an instant, settled before the answer', async () => {
    const call = await app();
    expect((await call()).json().now).toMatch(/^2026-11-20T13:15:\d\d\.\d{3}Z$/);
    expect((await call({ advance: 'P2DT3H' })).json().now).toMatch(/^2026-11-22T16:15/);
    expect((await call({ now: '2026-11-27T10:00:00-05:00' })).json().now).toMatch(/^2026-11-27T15:00/);
    expect(settled).toEqual(['2026-11-22T16:15Z', '2026-11-27T15:00Z']);
  });

  it('refuses what it cannot read, going back and leaps of centuries, with a sentence', async () => {
    const call = await app();
    const wrong = [
      '{"advance":',
      '[]',
      {},
      { advance: 'two days' },
      { advance: 'P1D', now: '2026-11-27T10:00:00Z' },
      { now: '2026-11-27' },
      { now: '2026-11-01T00:00:00Z' },
      { advance: '-PT1H' },
      { advance: 'P200Y' },
      { advance: 'P999999999Y' },
      { speed: 2 },
    ];
    for (const body of wrong) {
      const response = await call(body);
      expect([body, response.statusCode]).toEqual([body, 400]);
      expect(response.json<OperationOutcome>().issue[0]?.details?.text).toMatch(/\.$/);
    }
    expect(settled).toEqual([]);
    expect((await call()).json().now).toMatch(/^2026-11-20T13:15/);
  });

  it('is behind the door of Baton: a token with its scope is needed, and each use is audited', async () => {
    const mover = createClockMover(clock, async () => undefined);
    const baton = await serve({ extraRoutes: (server) => mountClockRoutes(server, mover) });
    try {
      const body = { advance: 'P1D' };
      expect((await baton.send('POST', '/sandbox/clock', { body, as: '' })).status).toBe(401);
      expect((await baton.send('POST', '/sandbox/clock', { body, as: await baton.token('user/*.rs') })).status).toBe(
        403,
      );
      const moved = await baton.send('POST', '/sandbox/clock', { body, as: await baton.token('baton/sandbox') });
      expect([moved.status, String(moved.json.now).slice(0, 10)]).toEqual([200, '2026-11-21']);
      const audited = (await baton.audited()).map(({ interaction, status }) => [interaction, status]);
      expect(audited).toEqual([401, 403, 200].map((status) => ['sandbox-clock', status]));
    } finally {
      await baton.close();
    }
  });
});

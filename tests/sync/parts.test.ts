// The parts of sync that need no server: mapping, order of creation, watermarks, backoff, state tables.
import type { Appointment, Bundle } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RetryClass } from '../../src/fault.ts';
import { loadSearchParameters } from '../../src/fhir/search/parameters.ts';
import { advance, type Checkpoint, windowFrom } from '../../src/sync/checkpoint.ts';
import { CONFLICT } from '../../src/sync/conflicts/conflict.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import { reconcile } from '../../src/sync/conflicts/reconcile.ts';
import { toLocalTerms, toRemoteTerms } from '../../src/sync/mapping.ts';
import { patientElement, patientOf } from '../../src/sync/patients/patient-reference.ts';
import { nextDue } from '../../src/sync/pull/roster-rows.ts';
import { components } from '../../src/sync/push/dependencies.ts';
import { refuseStrangers } from '../../src/sync/push/expected.ts';
import { type Claim, OUTBOX } from '../../src/sync/push/outbox.ts';
import { settlementAfter } from '../../src/sync/push/retry.ts';

describe('mapping', () => {
  const context = { remoteBase: 'https://ehr.test/R4', ownSystem: 'https://baton.test/id' };
  const map = {
    remoteOf: (_type: string, id: string) => (id === 'l1' ? 'r1' : undefined),
    localOf: (_type: string, id: string) => (id === 'r1' ? 'l1' : undefined),
  };

  test('there and back again is the same body', () => {
    const body = {
      resourceType: 'Task',
      for: { reference: 'Patient/l1', display: 'Ann' },
      focus: { reference: 'Goal/unlinked' },
      requester: { reference: '#c' },
      owner: { reference: 'https://other.test/Practitioner/9' },
      contained: [{ resourceType: 'Practitioner', id: 'c' }],
      identifier: [{ system: 'urn:x', value: '1' }],
    };
    const there = toRemoteTerms(context, map, body, 'l9');
    expect(there.body.for).toEqual({ reference: 'Patient/r1', display: 'Ann' });
    expect(there.body.identifier).toEqual([...body.identifier, { system: 'https://baton.test/id', value: 'l9' }]);
    expect(there.missing).toEqual(['Goal/unlinked']);
    expect(JSON.stringify(there.body)).not.toContain('"Goal/');
    expect(toLocalTerms(context, map, there.body).body).toEqual(body);
  });

  test('what is unknown here keeps its address there', () => {
    const remote = {
      resourceType: 'Task',
      for: { reference: 'Patient/r7' },
      focus: { reference: 'https://ehr.test/R4/Goal/r1' },
    };
    const here = toLocalTerms(context, map, remote);
    expect(here.body).toEqual({
      resourceType: 'Task',
      for: { reference: 'https://ehr.test/R4/Patient/r7' },
      focus: { reference: 'Goal/l1' },
    });
    expect(here.missing).toEqual(['Patient/r7']);
    expect(toRemoteTerms(context, map, here.body, 'x').body.for).toEqual({ reference: 'Patient/r7' });
  });
});

test('order of creation: every component stands after what it points to, each node once', () => {
  const node = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  fc.assert(
    fc.property(fc.array(fc.tuple(node, node)), (pairs) => {
      const edges = new Map<string, string[]>();
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) edges.set(name, []);
      for (const [from, to] of pairs) edges.get(from)?.push(to);
      const order = components('a', edges);
      const position = new Map(order.flatMap((component, index) => component.map((name) => [name, index] as const)));
      expect(position.size).toBe(order.flat().length);
      for (const name of position.keys()) {
        for (const target of edges.get(name) ?? []) {
          expect(position.get(target)).toBeLessThanOrEqual(position.get(name) ?? -1);
        }
      }
      expect(order.at(-1)).toContain('a');
    }),
  );
});

describe('watermark', () => {
  const fresh: Checkpoint = {
    streamKey: 'k',
    connection: 'ehr',
    type: 'Task',
    strategy: 'search',
    highWater: undefined,
    overlapSeconds: 300,
    cursor: undefined,
    windowStart: undefined,
    windowMax: undefined,
    epoch: undefined,
    history: [],
    ranAt: 0,
  };
  const run = { runId: 'r', applied: 1, now: 1 };

  test('moves only after the last page, and never past the beginning of the window', () => {
    const first = advance(fresh, { newest: '2026-01-01T00:05:00Z', date: '2026-01-01T00:03:00Z', next: 'page2' }, run);
    expect(first).toMatchObject({ highWater: undefined, cursor: 'page2' });
    const last = advance(first, { newest: '2026-01-01T00:04:00Z', date: '2026-01-01T00:09:00Z', next: undefined }, run);
    expect(last).toMatchObject({ highWater: '2026-01-01T00:03:00Z', cursor: undefined, windowMax: undefined });
    expect(windowFrom(last)).toBe('2025-12-31T23:58:00Z');
  });

  test('never moves back, and stays when nothing was seen', () => {
    const known = { ...fresh, highWater: '2026-01-02T00:00:00Z' };
    expect(advance(known, { newest: '2026-01-01T00:00:00Z', date: undefined, next: undefined }, run).highWater).toBe(
      known.highWater,
    );
    expect(advance(known, { newest: undefined, date: '2027-01-01T00:00:00Z', next: undefined }, run).highWater).toBe(
      known.highWater,
    );
  });
});

describe('after a failure', () => {
  const claim: Claim = {
    id: 'o1',
    connection: 'ehr',
    type: 'Task',
    localId: 't1',
    sequence: 1,
    state: 'sending',
    attempts: 0,
    nextAt: 0,
    intentKey: 'k',
    probedAt: undefined,
    faultClass: undefined,
    leaseUntil: 0,
    rebases: 0,
    replayOf: undefined,
    waitsFor: undefined,
    token: 't',
  };
  const wayOn = (kind: RetryClass, attempts = 0, unsure = false) =>
    settlementAfter({ ...claim, attempts }, { class: kind, message: 'no' }, unsure, 1_000, 1);

  test('each class has one way on', () => {
    expect(wayOn('transient')).toMatchObject({ event: 'failed', faultClass: 'transient', nextAt: 3_000, attempts: 1 });
    expect(wayOn('ambiguous')).toMatchObject({ event: 'failed', faultClass: 'ambiguous' });
    expect(wayOn('conflict')).toMatchObject({ event: 'failed', faultClass: 'ambiguous' });
    expect(wayOn('auth', 9)).toMatchObject({ event: 'failed', attempts: 9 });
    expect(wayOn('permanent')).toMatchObject({ event: 'refused' });
    expect(wayOn('transient', 9)).toMatchObject({ event: 'exhausted' });
  });

  test('what may have had an effect stays so until somebody looked', () => {
    expect(wayOn('transient', 0, true)).toMatchObject({ faultClass: 'ambiguous' });
    expect(wayOn('permanent', 0, true)).toMatchObject({ event: 'failed', faultClass: 'ambiguous' });
  });

  test('the remote decides when it asks for more time', () => {
    const retryAfter = Temporal.Duration.from({ minutes: 30 });
    const settlement = settlementAfter(claim, { class: 'transient', message: 'no', retryAfter }, false, 0, 0);
    expect(settlement).toMatchObject({ nextAt: 1_800_000 });
  });
});

test('final states of outbox and conflict are left by a person, a new version, or what a row went without', () => {
  expect(new Set(Object.values(OUTBOX.superseded))).toEqual(new Set(['superseded']));
  const { arrived, ...sent } = OUTBOX.sent;
  expect([arrived, new Set(Object.values(sent))]).toEqual(['queued', new Set(['sent'])]);
  expect(
    Object.entries(OUTBOX.parked)
      .filter(([, next]) => next === 'queued')
      .map(([event]) => event),
  ).toEqual(['changed', 'retry', 'arrived']);
  expect(new Set(Object.values(CONFLICT.resolved))).toEqual(new Set(['resolved']));
});

test('reconciling again changes nothing', () => {
  const body = fc.record({
    resourceType: fc.constant('Task'),
    status: fc.constantFrom('a', 'b'),
    priority: fc.constantFrom('x', 'y'),
  });
  fc.assert(
    fc.property(body, body, body, body, (baseLocal, baseRemote, local, remote) => {
      const first = reconcile({ baseLocal, baseRemote, local, remote }, { default: 'theirs' });
      const copies = { baseLocal: first.theirs, baseRemote: remote, local: first.merged, remote };
      const again = reconcile(copies, { default: 'theirs' });
      expect(again.localChanges).toBe(false);
      expect(again.conflicts).toEqual([]);
    }),
  );
});

test('the policies that come with Baton can be read', () => {
  const policies = readPolicies(new URL('../../profiles/policies', import.meta.url).pathname);
  expect(policies.Task?.paths).toMatchObject({ status: 'theirs', businessStatus: 'ours', identifier: 'union' });
});

test('every type that R4 has in the record of a patient says whose it is', () => {
  const parameters = loadSearchParameters([]);
  // They name patients, but are in nobody's record.
  const others = new Set(['AuditEvent', 'Group', 'Patient', 'Person', 'Provenance']);
  const types = parameters.types.filter((type) => parameters.patientCompartment(type) && !others.has(type));
  expect(types.length).toBeGreaterThan(60);
  for (const type of types) {
    const code = ['patient', 'subject', 'actor'].find((one) => parameters.get(type, one));
    const [branch = ''] = parameters.get(type, String(code))?.branches ?? [];
    const [, element = '', within] = branch.split('.').filter((step) => /^\w+$/.test(step));
    expect([type, patientElement(type)]).toEqual([type, element]);
    const whom = { reference: 'https://ehr.test/R4/Patient/1/_history/2' };
    const value = within === undefined ? whom : { [within]: whom };
    for (const one of within === undefined ? [value, [value]] : [[value]]) {
      expect(patientOf({ resourceType: type, [element]: one })).toBe('https://ehr.test/R4/Patient/1');
    }
  }
});

test('an appointment of two is an answer to a question about either, and to none about a third', () => {
  const participant = ['1', '2'].map((id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' as const }));
  const resource: Appointment = { resourceType: 'Appointment', id: 'a1', status: 'proposed', participant };
  const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource }] };
  const isKept = (id: string) =>
    refuseStrangers(page, 'Appointment', id, 'https://ehr.test/R4').entry?.[0]?.resource === resource;
  expect(['1', '2', '3'].map(isKept)).toEqual([true, true, false]);
});

test('when to ask again is a whole number of milliseconds, as PostgreSQL wants it', () => {
  for (const changedAt of [0, 1, 999_999, 1_000_003])
    expect(nextDue(20_000_000, changedAt, 7)).toSatisfy(Number.isInteger);
});

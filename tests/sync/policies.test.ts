// Who wins, element by element, and which steps of a status are possible. docs/sync-spec.md#I9
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import type { JsonObject } from '../../src/fhir/canonical-json.ts';
import { merge3, type Preference } from '../../src/fhir/merge3.ts';
import { isReachable } from '../../src/fhir/status/machine.ts';
import { TASK } from '../../src/fhir/status/task.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import { readPolicy } from '../../src/sync/conflicts/policy-schema.ts';
import { reconcile } from '../../src/sync/conflicts/reconcile.ts';

const POLICIES = readPolicies(new URL('../../profiles/policies', import.meta.url).pathname);

describe('a file is refused with the place and what is allowed', () => {
  test.each([
    ['{', 'is not JSON'],
    ['{"paths":{"owner":"mine"}}', '/paths/owner must be one of ours, theirs, union, append, review'],
    ['{"default":"none"}', '/default must be one of'],
    ['{"path":{}}', '/ has no setting "path"'],
    ['{"paths":{"Task.status":"ours"}}', '/paths/Task.status'],
    ['{"delete":"yes"}', '/delete must be one of keep, push'],
    ['{"final":{"status":"completed"}}', '/final/status must be array'],
    ['{"transitions":{"status":{"draft":["active"]}}}', '/ has no setting "transitions"'],
  ])('%s', (text, says) => {
    expect(() => readPolicy('profiles/policies/Task.json', text)).toThrow(Fault);
    expect(() => readPolicy('profiles/policies/Task.json', text)).toThrow(says);
    expect(() => readPolicy('profiles/policies/Task.json', text)).toThrow('profiles/policies/Task.json');
  });
});

describe('each preference, at the top, nested, and within an item found by its key', () => {
  const plan = (who: string): JsonObject => ({
    resourceType: 'CarePlan',
    title: who,
    extension: [{ url: 'urn:x', valueString: who }],
    activity: [
      { reference: { reference: `Task/${who}` } },
      { detail: { code: { text: 'walk' }, description: who, performer: [{ reference: `Practitioner/${who}` }] } },
    ],
    note: [{ time: who === 'theirs' ? '2026-01-01' : '2026-01-02', text: who }],
  });
  const both = (paths: Record<string, Preference>) => merge3(plan('base'), plan('ours'), plan('theirs'), { paths });
  const walk = (body: JsonObject) =>
    (body.activity as { detail?: { description: string; performer: { reference: string }[] } }[]).find((a) => a.detail)
      ?.detail;

  test.each(['ours', 'theirs'] as const)('%s', (side) => {
    expect(both({ title: side }).merged.title).toBe(side);
    expect(walk(both({ activity: side }).merged)?.description).toBe(side);
    // The longest path decides, whatever the element around it says.
    const other = side === 'ours' ? 'theirs' : 'ours';
    const nested = both({ activity: other, 'activity.detail.description': side });
    expect(walk(nested.merged)?.description).toBe(side);
    expect(nested.conflicts.map(({ path }) => path)).not.toContain('activity[["walk",null]].detail.description');
  });

  test('union keeps the items of both, append in order of time', () => {
    const performers = walk(both({ 'activity.detail.performer': 'union' }).merged)?.performer;
    expect(performers?.map(({ reference }) => reference)).toEqual(['Practitioner/ours', 'Practitioner/theirs']);
    expect(both({ note: 'append' }).merged.note).toMatchObject([{ text: 'theirs' }, { text: 'ours' }]);
  });

  test('review asks, and so does union where there is one value only', () => {
    for (const preference of ['review', 'union', 'append'] as const) {
      expect(both({ title: preference }).conflicts.map(({ path }) => path)).toContain('title');
    }
    const nested = both({ activity: 'ours', 'activity.detail.description': 'review' });
    expect(nested.conflicts.map(({ path }) => path)).toContain('activity[["walk",null]].detail.description');
  });

  test('a type without a policy asks about everything', () => {
    expect(both({}).conflicts.map(({ path }) => path)).toContain('title');
  });
});

describe('steps of a status', () => {
  const statuses = Object.keys(TASK.successors);

  test.each([
    ['Task', 'status', 'completed', 'requested'],
    ['CarePlan', 'status', 'revoked', 'active'],
    ['ServiceRequest', 'status', 'completed', 'active'],
    ['Goal', 'lifecycleStatus', 'rejected', 'active'],
  ])('%s.%s never goes from %s to %s without a person', (type, element, from, to) => {
    const body = (code: string): JsonObject => ({ resourceType: type, [element]: code });
    const copies = { baseLocal: body(from), baseRemote: body(from), local: body(from), remote: body(to) };
    const result = reconcile(copies, POLICIES[type] ?? {});
    expect(result.conflicts).toEqual([{ path: element, base: from, ours: from, theirs: to, why: 'transition' }]);
    expect(result.merged[element]).toBe(from);
  });

  test('whatever both sides do, a merged Task is where it may be, or a person is asked', () => {
    const policy = POLICIES.Task ?? {};
    const any = fc.constantFrom(...statuses);
    const body = (status: string): JsonObject => ({ resourceType: 'Task', status });
    fc.assert(
      fc.property(any, any, any, (base, ours, theirs) => {
        const copies = { baseLocal: body(base), baseRemote: body(base), local: body(ours), remote: body(theirs) };
        const { merged, conflicts } = reconcile(copies, policy);
        if (conflicts.length > 0 || ours === theirs) return;
        for (const from of [base, ours]) expect(isReachable(TASK, from, String(merged.status))).toBe(true);
      }),
    );
  });

  test('a code that the table does not have is no reason to stop, unless it comes from one that it has', () => {
    const machine = { name: 'X', element: 'status', source: '', successors: { a: ['b'], b: ['c'], c: [] } };
    expect(isReachable(machine, 'x', 'a')).toBe(true);
    expect(isReachable(machine, undefined, 'a')).toBe(true);
    expect(isReachable(machine, 'a', 'x')).toBe(false);
    expect(isReachable(machine, 'a', 'c')).toBe(true);
  });
});

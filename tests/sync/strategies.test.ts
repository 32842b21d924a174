// Which way each type is pulled, from what servers state and what is known of the products. docs/sync-spec.md#I5 docs/sync-spec.md#I29
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { readCapability } from '../../src/remote/capability.ts';
import { VENDORS, type VendorName } from '../../src/remote/vendors/vendors.ts';
import { streamKey } from '../../src/sync/checkpoint.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { choosePlan, type PullPlan, streamOf } from '../../src/sync/pull/strategy.ts';

type Door = readonly [type: string, interactions: readonly string[], parameters: readonly string[]];

/** As in the CapabilityStatements of Epic (May 2026) and Oracle Health (Millennium R4). */
const EPIC: readonly Door[] = [
  ['Patient', ['create', 'read', 'search-type'], ['identifier', 'name', '_id']],
  ['CarePlan', ['read', 'search-type'], ['category', 'patient', 'subject', '_id']],
  ['Task', ['read', 'search-type', 'update'], ['patient', 'subject', 'modified', '_id']],
  ['DocumentReference', ['create', 'read', 'search-type', 'update'], ['patient', '_lastupdated', '_id']],
  ['Organization', ['read', 'search-type'], ['_id']],
];
const ORACLE: readonly Door[] = [
  ['Patient', ['read', 'search-type'], ['_id', 'identifier']],
  ['CarePlan', ['read', 'search-type'], ['_id', 'patient', 'category']],
  ['Goal', ['read', 'search-type'], ['_id', 'patient', 'target-date']],
  ['ServiceRequest', ['read', 'search-type'], ['_id', 'patient', 'subject', '_lastUpdated']],
];
const HAPI: readonly Door[] = [
  ['Task', ['read', 'search-type', 'history-type', 'update', 'create'], ['patient', 'identifier']],
  ['Goal', ['read', 'search-type', 'update', 'create'], ['patient', 'identifier']],
];

function statement(doors: readonly Door[]): CapabilityStatement {
  const resource = doors.map(([type, interactions, parameters]) => ({
    type,
    interaction: interactions.map((code) => ({ code })),
    searchParam: parameters.map((name) => ({ name, type: 'token' })),
  }));
  return { resourceType: 'CapabilityStatement', rest: [{ mode: 'server', resource }] } as CapabilityStatement;
}

function plan(
  vendor: VendorName,
  doors: readonly Door[],
  type: string,
  connection: Pick<Connection, 'strategies'> = {},
): PullPlan {
  return choosePlan(connection, readCapability(statement(doors), VENDORS[vendor]), VENDORS[vendor], type);
}

describe('the way of pulling', () => {
  test.each([
    ['epic', EPIC, 'CarePlan', { strategy: 'roster', by: 'patient', narrowed: false }],
    ['epic', EPIC, 'Task', { strategy: 'roster', by: 'patient', narrowed: false }],
    ['epic', EPIC, 'Patient', { strategy: 'roster', by: 'id' }],
    ['epic', EPIC, 'Organization', { strategy: 'roster', by: 'id' }],
    ['epic', EPIC, 'DocumentReference', { strategy: 'roster', by: 'patient', narrowed: false }],
    ['epic', EPIC, 'Subscription', { strategy: 'none', why: 'no-capability' }],
    ['oracle', ORACLE, 'Goal', { strategy: 'roster', by: 'patient', narrowed: false }],
    ['oracle', ORACLE, 'ServiceRequest', { strategy: 'roster', by: 'patient', narrowed: true }],
    ['oracle', ORACLE, 'Task', { strategy: 'none', why: 'no-capability' }],
    ['hapi', HAPI, 'Task', { strategy: 'history' }],
    ['hapi', HAPI, 'Goal', { strategy: 'search' }],
    ['generic', HAPI, 'Goal', { strategy: 'search' }],
  ] as const)('of %s is chosen by what it states: %#', (vendor, doors, type, expected) => {
    expect(plan(vendor, doors, type)).toMatchObject(expected);
  });

  test('the connection goes before what was found out', () => {
    const strategies = { Task: 'roster', Goal: 'none' } as const;
    expect(plan('hapi', HAPI, 'Task', { strategies })).toMatchObject({ strategy: 'roster', by: 'patient' });
    expect(plan('hapi', HAPI, 'Goal', { strategies })).toMatchObject({ strategy: 'none' });
  });

  test('what a server turned out not to do is not chosen again', () => {
    const capability = readCapability(statement(HAPI), VENDORS.hapi);
    const choose = (...unable: ('history' | 'search')[]) =>
      choosePlan({}, capability, VENDORS.hapi, 'Task', new Set(unable)).strategy;
    expect([choose(), choose('history'), choose('history', 'search')]).toEqual(['history', 'search', 'roster']);
  });
});

describe('a stream', () => {
  const at = (strategy: 'search' | 'roster', filter = '', mapping?: number) =>
    streamKey('ehr', 'Task', 'https://ehr.test', strategy, filter, mapping);

  test('is another one when filter, strategy or mapping version are others', () => {
    const keys = [at('search'), at('roster'), at('search', 'Group/1'), at('search', '', 2)];
    expect(new Set(keys).size).toBe(keys.length);
    expect(at('search')).toBe(at('search'));
  });

  test('has the patients in scope and the required conditions in its filter', () => {
    const roster: PullPlan = { strategy: 'roster', by: 'patient', why: '' };
    const context = { connection: {}, remote: { vendor: VENDORS.oracle } };
    expect(streamOf(context, 'CarePlan', roster).filter).toBe('patient&category=assess-plan');
    const scoped = { ...context, connection: { patients: { kind: 'group', id: 'g1' } as const } };
    expect(streamOf(scoped, 'Task', { strategy: 'search', why: '' }).filter).toBe('Group/g1');
  });
});

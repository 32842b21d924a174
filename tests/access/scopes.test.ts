// What scopes say, and what a grant may do with them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, decideDoor, decideFully, type Interaction, PERMISSIONS, reachesAll } from '../../src/access/decide.ts';
import type { Grant } from '../../src/access/grant.ts';
import { FULL_SCOPE, isWithin, parseScopes } from '../../src/access/scopes.ts';
import { Fault } from '../../src/fault.ts';

const grant = (scope: string, patient?: string): Grant => ({
  actor: { reference: 'app', kind: 'client' },
  scopes: parseScopes(scope),
  ...(patient ? { patient } : {}),
});

const letters = (scope: string) => parseScopes(scope).resources.map(({ permissions }) => [...permissions].join(''));

describe('scopes', () => {
  it('are read in both versions of SMART', () => {
    expect(letters('system/Task.cruds user/Goal.rs patient/*.read system/*.write user/*.*')).toEqual([
      'cruds',
      'rs',
      'rs',
      'cud',
      'cruds',
    ]);
  });

  it.each([
    'system/Task.sr',
    'system/Task.',
    'system/task.r',
    'admin/Task.r',
    'Task.r',
    'system/Task.rr',
    'system/*',
    '',
  ])('%s grants nothing', (scope) => {
    expect(letters(scope)).toEqual([]);
  });

  it('carry constraints', () => {
    const [scope] = parseScopes('patient/Condition.rs?category=http://a|b&code=c').resources;
    expect(scope?.constraint).toEqual([
      ['category', 'http://a|b'],
      ['code', 'c'],
    ]);
  });

  it('never fail, whatever is asked for', () => {
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseScopes(text).resources)));
  });

  it.each([
    ['system/Task.rs', 'system/*.cruds', true],
    ['system/*.cruds', 'system/Task.rs', false],
    ['system/Task.rs', 'user/Task.rs', false],
    ['system/Task.c', 'system/Task.rs', false],
    ['system/Task.rs', 'system/Task.rs?code=x', false],
    ['system/Task.rs?code=x', 'system/Task.rs?code=x', true],
    ['baton/ops', 'system/Task.rs', false],
    ['baton/custodian', 'system/*.cruds', false],
    ['baton/custodian', 'system/*.cruds baton/custodian', true],
    ['baton/ops', 'system/*.cruds', true],
    ['baton/custodian', 'system/*.cruds', false],
    ['baton/custodian', 'system/*.cruds baton/custodian', true],
  ])('%s is within %s: %s', (asked, allowed, expected) => {
    expect(isWithin(parseScopes(asked), parseScopes(allowed))).toBe(expected);
  });
});

describe('a decision', () => {
  it.each(Object.entries(PERMISSIONS) as [Interaction, string][])(
    'on %s needs the letter %s',
    (interaction, letter) => {
      const without = 'cruds'.replace(letter, '');
      expect(decide(grant(`system/Task.${letter}`), interaction, 'Task')).toBeUndefined();
      expect(() => decide(grant(`system/Task.${without}`), interaction, 'Task')).toThrow(Fault);
      expect(() => decide(grant(`system/Goal.${letter}`), interaction, 'Task')).toThrow(Fault);
    },
  );

  it('on all types at once needs a scope on all types', () => {
    expect(() => decide(grant('system/Task.cruds system/Goal.cruds'), 'search-system', '*')).toThrow(Fault);
    expect(decide(grant('system/*.s'), 'search-system', '*')).toBeUndefined();
  });

  it('narrows patient scopes to the patient and refuses them without one', () => {
    expect(decide(grant('patient/*.rs', 'p1'), 'read', 'Task')).toEqual({
      lanes: [{ patient: 'p1', constraint: [] }],
    });
    expect(() => decide(grant('patient/*.rs'), 'read', 'Task')).toThrow('no patient');
  });

  it('joins constraints with or', () => {
    const narrowing = decide(grant('system/Task.rs?code=a system/Task.rs?code=b'), 'search-type', 'Task');
    expect(narrowing).toEqual({ lanes: [{ constraint: [['code', 'a']] }, { constraint: [['code', 'b']] }] });
  });

  it('takes the widest scope', () => {
    expect(decide(grant('patient/Task.rs system/Task.rs?code=a system/Task.r', 'p1'), 'read', 'Task')).toBeUndefined();
  });

  it('refuses to narrow what cannot be narrowed', () => {
    expect(() => decideFully(grant('patient/*.cruds', 'p1'), 'create', 'Task')).toThrow('reaches only some Task');
    expect(() => decideFully(grant('system/Task.c'), 'create', 'Task')).not.toThrow();
  });

  it('knows when all of a type is within reach', () => {
    expect(reachesAll(grant('system/Task.r'), 'read', 'Task')).toBe(true);
    expect(reachesAll(grant('patient/Task.r', 'p1'), 'read', 'Task')).toBe(false);
    expect(reachesAll(grant('system/Task.r?code=a'), 'read', 'Task')).toBe(false);
  });

  it('opens doors to their own scope and to the full grant only', () => {
    expect(() => decideDoor(grant('baton/ops'), 'baton/ops')).not.toThrow();
    expect(() => decideDoor(grant(FULL_SCOPE), 'baton/metrics')).not.toThrow();
    expect(() => decideDoor(grant('system/*.cruds'), 'baton/intake')).not.toThrow();
    for (const scope of ['baton/intake', 'system/*.rs', 'user/*.cruds', 'system/*.cruds?code=x']) {
      expect(() => decideDoor(grant(scope), 'baton/ops')).toThrow('baton/ops');
    }
  });
});

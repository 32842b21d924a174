import { describe, expect, it } from 'vitest';
import {
  canBecome,
  isTerminal,
  requireTransition,
  TASK_TRANSITIONS,
  type TaskStatus,
} from '../../src/care/task-transitions.ts';

const statuses = Object.keys(TASK_TRANSITIONS) as TaskStatus[];

describe('task transitions', () => {
  it('answer every pair', () => {
    for (const from of statuses) expect(Object.keys(TASK_TRANSITIONS[from]).sort()).toEqual([...statuses].sort());
  });

  it('leave terminal states only as an error', () => {
    for (const from of statuses.filter(isTerminal)) {
      const left = statuses.filter((to) => canBecome(from, to));
      expect(left).toEqual(from === 'entered-in-error' ? [] : ['entered-in-error']);
    }
  });

  it('let everything open be cancelled', () => {
    for (const from of statuses.filter((status) => !isTerminal(status)))
      expect(canBecome(from, 'cancelled'), from).toBe(true);
  });

  it.each([
    ['requested', 'completed'],
    ['requested', 'accepted'],
    ['in-progress', 'completed'],
    ['on-hold', 'in-progress'],
  ] as const)('%s may become %s', (from, to) => {
    expect(() => requireTransition(from, to)).not.toThrow();
  });

  it.each([
    ['draft', 'completed'],
    ['completed', 'in-progress'],
    ['on-hold', 'completed'],
    ['in-progress', 'requested'],
  ] as const)('%s may not become %s', (from, to) => {
    expect(() => requireTransition(from, to)).toThrow(`A task that is ${from} cannot become ${to}.`);
  });
});

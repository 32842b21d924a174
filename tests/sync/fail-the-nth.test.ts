// Every exchange and every call to the store fails once: before its effect, after it, or by never answering; the process
// goes on or dies. Afterwards another one runs, both sides are equal, nothing is there twice and no edit is lost.
// docs/sync-spec.md#I2 docs/sync-spec.md#I3 docs/sync-spec.md#I11 docs/sync-spec.md#I12
import { expect, test } from 'vitest';
import { BARE, everyCall, PLAIN, type Plan } from '../support/model/every-call.ts';

/** All of them take minutes: npm run soak:sync -- --nth. Steps that have nothing in common with the day's rhythm. */
const LIVES = { deadly: false, stride: 3 };
const DIES = { deadly: true, stride: 11 };

test.each<readonly [string, string, Plan]>([
  ['plain', 'before its effect', { knobs: PLAIN, failing: 'before', ...LIVES, reach: 'exchanges' }],
  ['plain', 'after its effect', { knobs: PLAIN, failing: 'after', ...LIVES, reach: 'exchanges' }],
  ['plain', 'by never answering', { knobs: PLAIN, failing: 'hang', ...LIVES, reach: 'exchanges' }],
  ['bare', 'before its effect', { knobs: BARE, failing: 'before', ...LIVES, reach: 'exchanges' }],
  ['bare', 'after its effect', { knobs: BARE, failing: 'after', ...LIVES, reach: 'exchanges' }],
  ['bare', 'by never answering', { knobs: BARE, failing: 'hang', ...LIVES, reach: 'exchanges' }],
])('an exchange that fails, %s servers, %s', async (_servers, _how, plan) => {
  expect(await everyCall(plan)).toBeGreaterThan(20);
});

test.each<readonly [string, string, Plan]>([
  ['plain', 'before its effect', { knobs: PLAIN, failing: 'before', ...LIVES, reach: 'commits' }],
  ['bare', 'after its effect', { knobs: BARE, failing: 'after', ...LIVES, reach: 'commits' }],
])('a commit that fails, %s servers, %s', async (_servers, _how, plan) => {
  expect(await everyCall(plan)).toBeGreaterThan(30);
});

test.each<readonly [string, string, Plan]>([
  ['plain', 'before', { knobs: PLAIN, failing: 'before', ...DIES, reach: 'everything' }],
  ['bare', 'after', { knobs: BARE, failing: 'after', ...DIES, reach: 'everything' }],
])('a process that dies at any call, %s servers, %s its effect', async (_servers, _how, plan) => {
  expect(await everyCall(plan)).toBeGreaterThan(200);
});

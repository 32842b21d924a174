// Commits that share a transaction, some of which fail before, while or after they write: each is whole or nothing, its
// neighbours do not notice, and the log, the search rows and the audit trail say so, too.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change } from '../../src/fhir/change.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { Statement } from '../../src/store/store.ts';
import { create, NURSE, observation, patient, update } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

let temp: TempStore;
beforeAll(async () => {
  temp = await openTempStore({ memory: true });
});
afterAll(() => temp.cleanup());

const INVALID = update({ resourceType: 'Patient', id: 'never', gender: 'unheard-of' } as never);
const NOBODY: Statement = { sql: 'UPDATE resource SET deleted = 1 WHERE rid = ?', params: [-1], rows: 1 };
const TAKEN: Statement = {
  sql: `INSERT INTO search_parameter (id, type, code) SELECT id, type, code FROM search_parameter WHERE id = ?`,
  params: [1],
};

const KINDS = ['whole', 'refused', 'half written', 'beside nobody', 'beside a taken key', 'outdated', 'known'] as const;
type Kind = (typeof KINDS)[number];

let words = 0;

/** A pair of resources that say the same word, which is said nowhere else. */
function unitOf(kind: Kind, at: number) {
  words += 1;
  const word = `word${words}x`;
  const pair: Change[] = [
    update(patient(word, { id: `left${at}`, name: [{ family: word }] })),
    update(observation(`Patient/left${at}`, { id: `right${at}`, note: [{ text: word }] })),
  ];
  const changes: Record<Kind, Change[]> = {
    whole: pair,
    refused: [INVALID],
    'half written': [...pair, INVALID],
    'beside nobody': pair,
    'beside a taken key': pair,
    outdated: [pair[0] as Change, { ...(pair[1] as Change), ifMatch: '999' } as Change],
    known: [create(patient(`known${at}`), { ifNoneExist: `identifier=urn:test|known${at}` }), ...pair],
  };
  const alongside = kind === 'beside nobody' ? [NOBODY] : kind === 'beside a taken key' ? [TAKEN] : [];
  return { kind, word, commit: () => temp.store.commit(NURSE, changes[kind], alongside) };
}

/** As many as are done with care after a failure; then a group is done lightly again. */
const QUIET = 20;

const found = async (query: string) => (await temp.store.find(query)).length;

test('commits of one group are whole or nothing, each by itself', async () => {
  let records = 0;
  const units = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.nat(2)), { minLength: 2, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(fc.array(units, { minLength: 1, maxLength: 2 }), async (groups) => {
      for (let at = 0; at < QUIET; at += 1) await temp.store.commit(NURSE, [update(patient('quiet', { id: 'quiet' }))]);
      records += QUIET;
      for (const group of groups) {
        const made = group.map(([kind, at]) => unitOf(kind, at));
        temp.store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id: 'left0' });
        records += 1;
        const results = await Promise.allSettled(made.map(({ commit }) => commit()));
        for (const [at, { kind }] of made.entries()) {
          const result = results[at];
          expect(result?.status, kind).toBe(kind === 'whole' || kind === 'known' ? 'fulfilled' : 'rejected');
          if (result?.status === 'fulfilled') records += result.value.length;
        }
        // The last whole one of each pair has the word.
        const last = new Map<number, string>();
        for (const [at, [kind, pair]] of group.entries()) {
          if (kind === 'whole' || kind === 'known') last.set(pair, made[at]?.word ?? '');
        }
        for (const { word } of made) {
          const here = [...last.values()].includes(word) ? 1 : 0;
          const searches = [`Patient?family=${word}`, `Patient?identifier=urn:test|${word}`];
          const texts = [`Patient?_content=${word}`, `Observation?_content=${word}`];
          for (const query of [...searches, ...texts]) expect(await found(query), query).toBe(here);
        }
      }
    }),
    { numRuns: 30 },
  );
  const log = await temp.store.readLog(0, 100_000);
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, at) => at + 1));
  const versions = new Map<string, number>();
  for (const { type, id, versionId } of log) {
    expect(Number(versionId)).toBe((versions.get(`${type}/${id}`) ?? 0) + 1);
    versions.set(`${type}/${id}`, Number(versionId));
  }
  expect([...versions.keys()]).not.toContain('Patient/never');
  for (const at of [0, 1, 2]) expect(await found(`Patient?identifier=urn:test|known${at}`)).toBeLessThanOrEqual(1);
  // It takes along what waits.
  await temp.store.commit(NURSE, [update(patient('quiet', { id: 'quiet' }))]);
  records += 1;
  expect(await walkTrail(temp.store)).toEqual({ verified: records, last: records });
});

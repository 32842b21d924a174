// Values at the edges of what a database can hold: stored and found alike on every engine, and a neighbour in the same
// group of commits is never harmed by one that is refused.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

const LONG = 'äöü漢字'.repeat(1_000);

export function limitsContract(open: OpenStoreForTest): void {
  describe('limits', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open({ validate: () => [] });
    });
    afterEach(() => temp.cleanup());

    const found = async (query: string) => (await temp.store.find(query)).map((version) => version.id);
    const put = (id: string, more: object) => temp.store.commit(NURSE, [update(patient('1', { id, ...more }))]);

    test('a code, a system and a name of any length are found, and not mixed up with others that begin alike', async () => {
      await put('a', { identifier: [{ system: `urn:${LONG}`, value: LONG }], name: [{ family: LONG }] });
      await put('b', { identifier: [{ system: `urn:${LONG}`, value: `${LONG}x` }], name: [{ family: `${LONG}x` }] });
      expect(await found(`Patient?identifier=${encodeURIComponent(`urn:${LONG}|${LONG}`)}`)).toEqual(['a']);
      expect(await found(`Patient?identifier=${encodeURIComponent(`${LONG}x`)}`)).toEqual(['b']);
      expect(await found(`Patient?family:exact=${encodeURIComponent(LONG)}`)).toEqual(['a']);
      expect(await found(`Patient?family=${encodeURIComponent(LONG)}`)).toEqual(['a', 'b']);
      expect(await found(`Patient?family:contains=${encodeURIComponent('字x')}`)).toEqual(['b']);
    });

    test('a reference and a URL of any length are found', async () => {
      const url = `http://example.org/${'abcdefghij'.repeat(500)}`;
      await put('a', { generalPractitioner: [{ reference: url }] });
      await put('b', { generalPractitioner: [{ reference: `${url}x` }] });
      expect(await found(`Patient?general-practitioner=${encodeURIComponent(url)}`)).toEqual(['a']);
    });

    test('characters that a database may not take are no reason to refuse a resource', async () => {
      await put('a', { name: [{ family: 'nul\u0000inside' }], identifier: [{ value: 'half\ud800' }] });
      await put('b', { name: [{ family: 'quote"back\\slash{brace},NULL' }] });
      expect(await found(`Patient?family:exact=${encodeURIComponent('nul\u0000inside')}`)).toEqual(['a']);
      expect(await found(`Patient?family:exact=${encodeURIComponent('quote"back\\slash{brace}\\,NULL')}`)).toEqual([
        'b',
      ]);
      expect(JSON.parse((await temp.store.read('Patient', 'a'))?.content ?? '').name[0].family).toBe('nul\u0000inside');
    });

    test('a narrative of a megabyte with words of any length is stored', async () => {
      const words = Array.from({ length: 200_000 }, (_, i) => `w${i}`).join(' ');
      const div = `<div xmlns="http://www.w3.org/1999/xhtml">${words} ${'long'.repeat(2_000)} end</div>`;
      const commits = await Promise.allSettled([
        temp.store.commit(NURSE, [create(patient('before'))]),
        put('a', { text: { status: 'generated', div } }),
        temp.store.commit(NURSE, [create(patient('after'))]),
      ]);
      expect(commits.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
      expect((await temp.store.read('Patient', 'a'))?.content).toContain('w199999');
    });
  });
}

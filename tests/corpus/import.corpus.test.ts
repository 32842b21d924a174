// Real transaction Bundles through the front door: every one is taken whole, and can be found again.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve, type TestServer } from '../server/serve.ts';

const FOLDER = new URL('../../../shared/corpus/synthea/', import.meta.url);
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.json.gz')) : [];
if (files.length === 0) console.warn('No ../shared/corpus/synthea here: its tests are skipped.');

describe.skipIf(files.length === 0)('Synthea', () => {
  let baton: TestServer;
  const expected = new Map<string, number>();
  beforeAll(async () => {
    baton = await serve();
  });
  afterAll(() => baton.close());

  test.each(files)('%s is one transaction', async (file) => {
    const text = gunzipSync(readFileSync(new URL(file, FOLDER))).toString('utf8');
    const bundle = JSON.parse(text) as Bundle;
    const answer = await baton.fhir('POST', '', {
      body: text,
      headers: { 'content-type': 'application/fhir+json' },
    });
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    expect(answer.json.entry?.every(({ response }) => /^20[01]/.test(response?.status ?? ''))).toBe(true);
    for (const { resource } of bundle.entry ?? []) {
      const type = resource?.resourceType ?? '';
      expected.set(type, (expected.get(type) ?? 0) + 1);
    }
  });

  test('everything is there', async () => {
    for (const [type, count] of expected) {
      const answer = await baton.fhir('GET', `/${type}?_summary=count`);
      expect([type, answer.json.total]).toEqual([type, count]);
    }
  });
});

// Parts of resources for _elements and _summary (32).
import { describe, expect, it } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createSubsetter } from '../../src/fhir/subset.ts';

const subset = createSubsetter(loadDefinitions());
const observation = JSON.stringify({
  resourceType: 'Observation',
  id: 'o',
  meta: { versionId: '1', tag: [{ code: 'mine' }] },
  text: { status: 'generated', div: '<div/>' },
  status: 'final',
  code: { text: 'weight' },
  valueQuantity: { value: 1 },
  issued: '2026-01-01T00:00:00Z',
  _issued: { id: 'x' },
  note: [{ text: 'n' }],
});
const cut = (...pairs: [string, string][]) => JSON.parse(subset(pairs)(observation));
const keys = (...pairs: [string, string][]) => Object.keys(cut(...pairs));

describe('_elements', () => {
  it.each([
    ['issued', ['issued', '_issued']],
    ['value', ['valueQuantity']],
    ['value[x]', ['valueQuantity']],
    ['Observation.note', ['note']],
    ['note.text,issued', ['issued', '_issued', 'note']],
    ['nonsense', []],
  ])('%s keeps what was asked for and what is mandatory', (names, expected) => {
    expect(keys(['_elements', names])).toEqual(['resourceType', 'id', 'meta', 'status', 'code', ...expected]);
  });

  it('says so in a tag, beside those that are there', () => {
    expect(cut(['_elements', 'note']).meta.tag.map(({ code }: { code: string }) => code)).toEqual([
      'mine',
      'SUBSETTED',
    ]);
  });

  it('wins over _summary', () => {
    expect(keys(['_elements', 'note'], ['_summary', 'text'])).not.toContain('text');
  });
});

describe('_summary', () => {
  it('text keeps the narrative, data drops it', () => {
    expect(keys(['_summary', 'text'])).toEqual(['resourceType', 'id', 'meta', 'text', 'status', 'code']);
    expect(keys(['_summary', 'data'])).toEqual(Object.keys(JSON.parse(observation)).filter((key) => key !== 'text'));
  });

  it.each([[[]], [[['_summary', 'false']]], [[['_summary', 'true']]]] as [[string, string][]][])(
    'absent, false and true leave the stored text as it is',
    (pairs) => {
      expect(subset(pairs)(observation)).toBe(observation);
    },
  );

  it('of another kind is refused', () => {
    expect(() => subset([['_summary', 'nonsense']])).toThrow('_summary must be');
  });
});

// The reckoning of the year puts stays in order as tests/transitions/recorded-discharge.test.ts says that Baton does.
import { expect, it } from 'vitest';
import { hear, type VisitFacts } from './facts.ts';
import { laterStay } from './later-stay.ts';
import { PLACES } from './places.ts';
import type { Message, Visit } from './story.ts';

const DAY = 86_400;
const BEGINS = Date.parse('2026-12-01T13:00:00Z') / 1000;
const place = PLACES[0]?.code ?? '';

const visit = (id: string, day: number): Visit => ({
  ...{ id, patient: 'P', place, patientClass: 'I', admissionType: 'E' },
  start: BEGINS + day * DAY,
});

/** @param told what is told of it on which day; an end by its day */
function stay(
  id: string,
  day: number,
  told: readonly (readonly ['A01' | 'A03', number, number?])[],
  disposition = '01',
): VisitFacts {
  const of = visit(id, day);
  const [facts] = told.reduce<VisitFacts[]>((known, [trigger, on, left], n) => {
    const recorded = BEGINS + on * DAY;
    const end = left === undefined ? {} : { end: { at: BEGINS + left * DAY } };
    const message: Message = {
      kind: 'message',
      visit: of,
      trigger,
      controlId: `${id}${n}`,
      recorded,
      disposition,
      ...end,
    };
    return [hear(known[0], message, recorded)];
  }, []);
  if (!facts) throw new Error('Nothing is told.');
  return facts;
}

const NEXT = stay('next', 9, [['A03', 13, 13]]);
const OPEN = stay('next', 9, [['A01', 9]]);

it.each<[string, VisitFacts, VisitFacts, ReturnType<typeof laterStay>]>([
  ['recorded after the next stay was over', stay('first', 0, [['A03', 17]]), NEXT, 'continued'],
  ['beside one that goes on', stay('first', 0, [['A03', 17]]), OPEN, undefined],
  [
    'the patient was told to be in after the other was over',
    stay('first', 0, [
      ['A01', 14],
      ['A03', 17],
    ]),
    NEXT,
    undefined,
  ],
  ['told to have been after the next stay', stay('first', 0, [['A03', 17, 17]]), NEXT, undefined],
  [
    'the other began days before and was transferred after it',
    stay('first', 9, [['A03', 10, 10]]),
    stay('around', 0, [['A03', 13, 13]], '02'),
    'continued',
  ],
  ['told to have been days before it', stay('first', 0, [['A03', 17, 2]]), NEXT, 'readmitted'],
])('of a discharge %s', (_, first, next, is) => {
  expect(laterStay(first, [first, next])).toBe(is);
});

it('a stay that was over when the next one began, whenever its discharge was recorded, takes no place of that', () => {
  const first = stay('first', 0, [['A03', 17]]);
  expect(laterStay(NEXT, [first, NEXT])).toBe(undefined);
});

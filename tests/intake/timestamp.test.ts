import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/intake/er7/message.ts';
import { readDate, readDateTime, readInstant } from '../../src/intake/er7/timestamp.ts';
import { Refusal } from '../../src/intake/refusal.ts';

const ZONE = 'America/New_York';
const evn = (text: string) => {
  const segment = parseMessage(`MSH|^~\\&|A|B\rEVN|A01|${text}\r`).segment('EVN');
  if (!segment) throw new Error('no EVN');
  return segment;
};

describe('HL7 date-times', () => {
  it.each([
    ['2026', '2026'],
    ['202611', '2026-11'],
    ['20261120', '2026-11-20'],
    ['2026112014', '2026-11-20T14:00:00-05:00'],
    ['202611201415', '2026-11-20T14:15:00-05:00'],
    ['20260720141530', '2026-07-20T14:15:30-04:00'],
    ['20261120141530.5', '2026-11-20T14:15:30.500-05:00'],
    ['20261120141530+0000', '2026-11-20T09:15:30-05:00'],
    ['20261120141530-0800', '2026-11-20T17:15:30-05:00'],
    ['20240229', '2024-02-29'],
  ])('%s is %s', (text, expected) => {
    expect(readDateTime(evn(text), 2, ZONE)).toBe(expected);
  });

  it('reads the hour that daylight saving skips as the hour after it, and the doubled hour as its first', () => {
    expect(readDateTime(evn('20260308023000'), 2, ZONE)).toBe('2026-03-08T03:30:00-04:00');
    expect(readDateTime(evn('20261101013000'), 2, ZONE)).toBe('2026-11-01T01:30:00-04:00');
  });

  it('drops the time of day where FHIR wants a date', () => {
    expect(readDate(evn('194803071130+0215'), 2)).toBe('1948-03-07');
  });

  it('takes the start of the day on the wall clock when only the day is known', () => {
    expect(readInstant(evn('20261120'), 2, ZONE)?.toString()).toBe('2026-11-20T05:00:00Z');
    expect(readInstant(evn(''), 2, ZONE)).toBeUndefined();
  });

  it.each([
    '20260230',
    '20261301',
    '2026112025',
    '20261120146000',
    '2026112',
    'yesterday',
    '20261120T1415',
    '20261120141530+1500',
    '00010101',
    '20230229',
  ])('refuses %s and says where', (text) => {
    expect(() => readDateTime(evn(text), 2, ZONE)).toThrow(Refusal);
    try {
      readDateTime(evn(text), 2, ZONE);
    } catch (error) {
      expect(error).toMatchObject({ code: 'AE', remark: { condition: '102', location: 'EVN^1^2' } });
      expect(String(error)).not.toContain(text);
    }
  });
});

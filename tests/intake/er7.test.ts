import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../src/intake/er7/charset.ts';
import { parseMessage } from '../../src/intake/er7/message.ts';
import { Refusal } from '../../src/intake/refusal.ts';
import { bytes, edited, fixture } from './fixture.ts';

const refused = (work: () => unknown): Refusal => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('reading ER7', () => {
  it.each(['\r', '\n', '\r\n'])('takes %j as the end of a segment', (end) => {
    const message = parseMessage(fixture('a01-admit').replaceAll('\r', end));
    expect(message.segments('DG1')).toHaveLength(2);
    expect(message.segment('PID')?.first(5).get(2)).toBe('Ottilie');
    expect(message.canonical).toBe(parseMessage(fixture('a01-admit')).canonical);
  });

  it('reads repetitions, components and subcomponents', () => {
    const pid = parseMessage(fixture('a01-admit')).segment('PID');
    expect(pid?.all(3).map((one) => one.get(1))).toEqual(['7700123', '900112233']);
    expect(pid?.first(3).get(4, 2)).toBe('2.16.840.1.113883.19.4.1');
    expect(pid?.text(30)).toBe('N');
    expect(pid?.text(77)).toBe('');
  });

  it('counts MSH fields from the separator', () => {
    const { header } = parseMessage(fixture('a01-admit'));
    expect([header.text(3), header.text(10), header.first(9).get(2), header.text(18)]).toEqual([
      'WARDADT',
      'HB000001',
      'A01',
      'UNICODE UTF-8',
    ]);
  });

  it('resolves every standard escape and leaves a stray backslash alone', () => {
    const text = 'a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\H\\h\\N\\ \\XC3A9\\ C:\\tmp';
    const message = parseMessage(edited(fixture('a01-admit'), { 'PID-5': `${text}^x` }));
    expect(message.segment('PID')?.first(5).get(1)).toBe('a|b^c&d~e\\f\ngh é C:\\tmp');
  });

  it('honours other separators', () => {
    const message = parseMessage('MSH$*!?%$APP$FAC\rPID$1$$A%B*C!D\r');
    const pid = message.segment('PID');
    expect(pid?.all(3).map((one) => [one.get(1), one.get(1, 2), one.get(2)])).toEqual([
      ['A', 'B', 'C'],
      ['D', '', ''],
    ]);
  });

  it('tells the null value from the empty one', () => {
    const pid = parseMessage(edited(fixture('a01-admit'), { 'PID-7': '""', 'PID-8': '' })).segment('PID');
    expect([pid?.isNull(7), pid?.text(7), pid?.isNull(8), pid?.all(7).length]).toEqual([true, '', false, 0]);
  });

  it.each([
    ['no MSH', 'PID|1||x\r', 'AR', '100'],
    ['nothing', '', 'AR', '100'],
    ['MSH alone', 'MSH', 'AR', '102'],
    ['equal separators', 'MSH|^^^^|A|B\r', 'AR', '102'],
    ['three encoding characters', 'MSH|^~\\|A|B\r', 'AR', '102'],
    ['letters as separators', 'MSHa^~\\&aAaB\r', 'AR', '102'],
    ['blank as separator', 'MSH ^~\\& A B\r', 'AR', '102'],
    ['a line that is no segment', 'MSH|^~\\&|A|B\rhello there\r', 'AE', '100'],
    ['a segment with another separator', 'MSH|^~\\&|A|B\rPID^1^x\r', 'AE', '100'],
    ['two messages at once', 'MSH|^~\\&|A|B\rPID|1\rMSH|^~\\&|A|B\r', 'AE', '100'],
  ])('refuses %s', (_, text, code, condition) => {
    const refusal = refused(() => parseMessage(text));
    expect([refusal.code, refusal.remark.condition]).toEqual([code, condition]);
  });
});

describe('character sets', () => {
  const named = (charset: string, name: string) => edited(fixture('a01-admit'), { 'MSH-18': charset, 'PID-5': name });
  const nameIn = (raw: Uint8Array) => parseMessage(decodeMessage(raw)).segment('PID')?.first(5).get(1);

  it.each(['', 'UNICODE UTF-8', 'UTF-8', 'unicode'])('reads UTF-8 when MSH-18 is %j', (charset) => {
    expect(nameIn(bytes(named(charset, 'Müller-Żak')))).toBe('Müller-Żak');
  });

  it.each(['8859/1', 'ISO-8859-1'])('reads Latin-1 when MSH-18 is %j', (charset) => {
    expect(nameIn(Buffer.from(named(charset, 'Müller'), 'latin1'))).toBe('Müller');
  });

  it('reads a byte order mark and leading blank lines', () => {
    expect(nameIn(bytes(`\uFEFF\r\n${named('', 'Plain')}`))).toBe('Plain');
  });

  it.each([
    ['Latin-1 bytes declared UTF-8', Buffer.from(named('UNICODE UTF-8', 'Müller'), 'latin1'), '102'],
    ['Latin-1 bytes declared nothing', Buffer.from(named('', 'Müller'), 'latin1'), '102'],
    ['accents declared ASCII', bytes(named('ASCII', 'Müller')), '102'],
    ['an unknown character set', bytes(named('BIG-5', 'Miller')), '103'],
    ['UTF-16', Buffer.from(named('', 'Miller'), 'utf16le'), '102'],
    ['control characters', bytes(named('', 'Mil\u0000ler')), '102'],
  ])('refuses %s', (_, raw, condition) => {
    expect(refused(() => decodeMessage(raw)).remark.condition).toBe(condition);
  });
});

// Errors of libraries quote what they choked on; the log must not.
import { expect, it } from 'vitest';
import { Fault } from '../src/fault.ts';
import { createLog } from '../src/log.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('trace', { write: (line) => lines.push(line) }));
  return lines.join('');
}

/** As PostgreSQL's driver reports that a value exists already. */
const database = Object.assign(new Error('Nightingale exists'), {
  code: '23505',
  severity: 'ERROR',
  constraint: 'patient_key',
  detail: 'Key (name)=(Nightingale) already exists.',
  parameters: ['Nightingale'],
});

it.each([
  ['an error', (log) => log.error(database)],
  ['an error with words', (log) => log.error(database, 'not stored')],
  ['an error in an object', (log) => log.error({ err: database })],
  ['an error in an object, with words', (log) => log.error({ err: database }, 'not stored')],
  ['a cause', (log) => log.error({ err: new Fault('fault', 'Nightingale', { cause: database }) }, 'not stored')],
  ['what is no error', (log) => log.error({ err: 'Nightingale' }, 'not stored')],
  ['a request', (log) => log.error({ req: { url: '/Patient?name=Nightingale' }, res: { body: 'Nightingale' } }, 'x')],
] satisfies [string, (log: ReturnType<typeof createLog>) => void][])('%s is logged without content', (_, write) => {
  const line = logged(write);
  expect(line).not.toContain('Nightingale');
  expect(JSON.parse(line).msg).toMatch(/\w/);
});

it('what is known about an error is there', () => {
  const { err } = JSON.parse(
    logged((log) => log.error({ err: new Fault('upstream', 'x', { cause: database, context: { status: 502 } }) }, 'x')),
  );
  expect(err).toMatchObject({ kind: 'upstream', status: 502, cause: { code: '23505', constraint: 'patient_key' } });
  expect(err.at[0]).toContain('log.test.ts');
});

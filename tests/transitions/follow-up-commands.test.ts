// `baton follow-ups`, as cli.ts runs it.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FOLLOW_UP_COMMANDS } from '../../src/follow-up-commands.ts';
import { testParameters } from '../support/store-rules.ts';
import { discharged, type Hospital, openHospital } from './hospital.ts';

const OPERATOR = { reference: 'Device/baton-cli', kind: 'service' } as const;
let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

/** Resolves to what was printed. */
async function baton(line: string, seen?: string): Promise<string> {
  const command = FOLLOW_UP_COMMANDS.find(({ words }) => `${line} `.startsWith(`${words} `));
  const printed: string[] = [];
  const { store, transitions, temp } = hospital;
  await command?.run(
    {
      ...{ store, transitions, clock: temp.clock, parameters: testParameters, actor: OPERATOR },
      print: (text) => printed.push(text),
    },
    line.split(' ').slice(command.words.split(' ').length),
    { seen },
  );
  return printed.join('\n');
}

it('rewind has what failed tried again, one Task of it or all', async () => {
  await hospital.sql("CREATE UNIQUE INDEX refuses ON version (id) WHERE type = 'Task'");
  hospital.at('2026-11-23T15:00:00Z');
  await hospital.transitions.sweep();
  await hospital.sql('DROP INDEX refuses');
  expect(await baton('follow-ups')).toContain('4 failing');
  expect(await hospital.transitions.sweep()).toMatchObject({ raised: 0 });
  const { contact } = await hospital.followUps();
  expect(await baton(`follow-ups rewind ${contact?.id}`)).toBe('1 follow-ups are tried again by the next sweep');
  expect(await hospital.transitions.sweep()).toMatchObject({ raised: 1 });
  expect(await baton('follow-ups rewind')).toBe('3 follow-ups are tried again by the next sweep');
  expect(await hospital.transitions.sweep()).toMatchObject({ raised: 3 });
  expect(await baton('follow-ups')).toContain('0 failing');
});

it('re-plan shows the difference, and carries it out with its tag', async () => {
  const [episode] = await hospital.episodes();
  const shown = JSON.parse(await baton(`follow-ups re-plan ${episode?.id}`));
  expect(shown.steps).toContainEqual(expect.objectContaining({ step: 'contact', change: 'same' }));
  expect(shown).not.toHaveProperty('carriedOut');
  const done = JSON.parse(await baton(`follow-ups re-plan ${episode?.id}`, shown.tag));
  const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
  expect(live.map(({ id }) => id)).toEqual([done.carriedOut]);
  await expect(baton('follow-ups re-plan nobody')).rejects.toMatchObject({ kind: 'not-found' });
});

// `npm start` with no configuration: the whole day, once; then a second start that adds nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Census, type DayPlace, newDayPlace, type Program, startProgram, takeCensus } from './sandbox-day.ts';

let place: DayPlace;
let program: Program;
let census: Census;

beforeAll(async () => {
  place = await newDayPlace();
  program = startProgram(place);
  const token = await program.token;
  census = await takeCensus(await program.baseUrl, token);
}, 90_000);
afterAll(async () => {
  await program.kill();
  await place.remove();
});

describe('the sandbox day', () => {
  it('leaves the plans of two patients and withdraws the third', () => {
    expect(census.duplicates).toEqual([]);
    expect(census.baton).toMatchObject({ Patient: 3, Encounter: 3, RelatedPerson: 3 });
    const ofPatient = (mrn: string) => census.followUps.filter((line) => line.startsWith(mrn));
    expect(ofPatient('MRN48210')).toContainEqual(expect.stringMatching(/contact\|\S+ completed/));
    expect(ofPatient('MRN50377')).toContainEqual(expect.stringMatching(/contact\|\S+ \S+ overdue/));
    expect(ofPatient('MRN51904').length).toBeGreaterThan(0);
    for (const line of ofPatient('MRN51904')) expect(line).toMatch(/ (cancelled|entered-in-error) /);
  });

  it('leaves the same follow-ups in the EHR', () => {
    expect(census.ehrFollowUps).toEqual(census.followUps);
    for (const type of ['Patient', 'Encounter', 'CarePlan', 'Goal', 'CareTeam', 'Task']) {
      expect([type, census.ehr[type]]).toEqual([type, census.baton[type]]);
    }
  });

  it('tells a short story in order, with links', () => {
    const story = program.lines.join('\n');
    expect(program.lines.length).toBeLessThan(60);
    const order = [
      'Eleanor Okafor is admitted',
      'Thomas Lindqvist leaves the hospital',
      'Baton plans for Thomas Lindqvist',
      'Baton plans for Eleanor Okafor',
      "The hospital's EHR has the plan",
      'Due now for',
      'The hospital takes the discharge of Ruth Delgado back',
      'Baton withdraws the plan for Ruth Delgado',
      'Done for Eleanor Okafor',
      'Missed for Thomas Lindqvist',
    ].map((text) => [text, story.lastIndexOf(text)] as const);
    for (const [text, at] of order) expect([text, at >= 0]).toEqual([text, true]);
    expect(story).toMatch(/LACE \d+ = L \d/);
    expect(story).toMatch(/http:\/\/\S+\/fhir\/R4\/CarePlan\/\S+/);
  });

  it('says nothing alarming on standard error', () => {
    expect(program.errors()).not.toMatch(/"level":[456]0|Warning|Deprecat|Error/);
  });

  it('continues after a clean stop without adding anything', async () => {
    expect(await program.stop()).toBe(0);
    program = startProgram(place);
    const token = await program.token;
    expect(program.lines.join('\n')).toContain('The Baton sandbox continues at');
    expect(await takeCensus(await program.baseUrl, token)).toEqual(census);
  }, 60_000);
});

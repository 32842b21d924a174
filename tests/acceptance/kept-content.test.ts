// Over HTTP: what a SMART app wrote into a plan, a goal or a task stays, whatever commands are carried out on it.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Agency, openAgency, type View } from './agency.ts';

let baton: Agency;
let at = '';

beforeAll(async () => {
  baton = await openAgency();
  const opened = await baton.does('vera', 'POST', '/cases', {
    patient: { reference: 'Patient/heart' },
    careManager: { reference: 'Practitioner/nora' },
  });
  at = `/cases/${opened.id}`;
});

afterAll(() => baton.close());

const word = fc.string({ unit: fc.constantFrom('a', 'é', 'Z', '7', '-'), minLength: 1, maxLength: 12 });
const decimal = fc.integer({ min: -999, max: 999 }).map((value) => value / 8);
const extension = fc.oneof(
  word.map((valueString) => ({ valueString })),
  decimal.map((valueDecimal) => ({ valueDecimal })),
  fc.tuple(word, word).map(([code, display]) => ({ valueCoding: { system: 'urn:app', code, display } })),
  word.map((valueString) => ({ extension: [{ url: 'inner', valueString }] })),
);
const marks = fc
  .array(extension, { minLength: 1, maxLength: 3 })
  .map((all) => all.map((one, index) => ({ url: `https://app.example/mark-${index}`, ...one })));
/** What no command is about. */
const foreign = fc.record({
  extension: marks,
  identifier: word.map((value) => [{ system: 'urn:app', value }]),
  language: fc.constantFrom('en', 'es'),
  note: word.map((text) => [{ text: `Note ${text}` }]),
  _status: marks.map((extension) => ({ extension })),
});

/** Adds what an app writes to a resource, through FHIR. */
async function edit(reference: string, more: View, status = '_status'): Promise<void> {
  const { _status, identifier, extension, ...rest } = more;
  const old = (await baton.read(reference)) as View;
  const body = {
    ...old,
    ...rest,
    [status]: _status,
    extension: [...(old.extension ?? []).filter(({ url }: View) => !url.startsWith('https://app.')), ...extension],
    identifier: [...(old.identifier ?? []).filter(({ system }: View) => system !== 'urn:app'), ...identifier],
  };
  const answer = await baton.fhir('PUT', `/${reference}`, { body });
  expect(answer.status, answer.text).toBe(200);
}

async function expectKept(reference: string, more: View, status = '_status'): Promise<void> {
  const { _status, ...rest } = more;
  const now = (await baton.read(reference)) as View;
  expect(now.language).toBe(rest.language);
  for (const name of ['extension', 'identifier', 'note']) expect(now[name]).toEqual(expect.arrayContaining(rest[name]));
  expect(now[status]).toEqual(_status);
}

it('commands on plan, goal and task lose nothing that an app wrote', async () => {
  const planId = (await baton.does('nora', 'GET', `${at}/plan`)).id;
  const { id: goalId } = await baton.does('nora', 'POST', `${at}/goals`, { description: { text: 'Walk' } });
  const [plan, goal] = [`CarePlan/${planId}`, `Goal/${goalId}`];
  await fc.assert(
    fc.asyncProperty(foreign, word, async (more, text) => {
      const { id: taskId } = await baton.does('nora', 'POST', `${at}/interventions`, { description: 'Call' });
      const task = `Task/${taskId}`;
      await edit(plan, more);
      await edit(goal, more, '_lifecycleStatus');
      await edit(task, more);
      await baton.does('nora', 'PATCH', `${at}/plan`, { title: text });
      await baton.does('nora', 'PATCH', `${at}/goals/${goalId}`, { description: { text }, note: text });
      await baton.does('nora', 'POST', `${at}/goals/${goalId}/progress`, { achievement: 'improving' });
      await baton.does('nora', 'PATCH', `${at}/interventions/${taskId}`, { priority: 'urgent', note: text });
      await baton.does('nora', 'POST', `${at}/interventions/${taskId}/complete`, { outcome: { text } });
      await baton.does('nora', 'POST', `${at}/needs`, { kind: 'barrier', code: { text } });
      await expectKept(plan, more);
      await expectKept(goal, more, '_lifecycleStatus');
      // A status that changes takes along what was said of the one before.
      const { _status, ...rest }: View = more;
      const now = (await baton.read(task)) as View;
      for (const name of ['extension', 'identifier', 'note'] as const) {
        expect(now[name]).toEqual(expect.arrayContaining(rest[name]));
      }
    }),
    { numRuns: 8 },
  );
});

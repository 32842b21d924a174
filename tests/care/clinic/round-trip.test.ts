// What is said through the API is what the views say, for any of it.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assignEducation } from '../../../src/care/education/educate.ts';
import { showEducation } from '../../../src/care/education/education-view.ts';
import { recordDirective, showDirective } from '../../../src/care/preferences/advance-directive.ts';
import { recordPreference, showPreference } from '../../../src/care/preferences/preference.ts';
import type { Planned } from '../../../src/care/records.ts';
import { raiseFlag, showFlag } from '../../../src/care/safety/flag.ts';
import { recordIncident, showIncident } from '../../../src/care/safety/incident.ts';
import { openWorld, type World } from './world.ts';

const caseId = 'c1';
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const words = fc.stringMatching(/^[a-zA-Z0-9<&é][a-zA-Z0-9 <&"é]{0,60}[a-z]$/);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
/** Days up to now, and from now on. */
const day = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((days) => Temporal.PlainDate.from('2026-11-30').add({ days }).toString());
const past = day(-900, -1);
const coming = day(0, 900);
const person = fc.constantFrom({ reference: 'Patient/p1' }, { reference: 'RelatedPerson/daughter' });

/** Without the members that were not given. */
const given = <T extends object>(arbitrary: fc.Arbitrary<T>) =>
  arbitrary.map((one) => JSON.parse(JSON.stringify(one)) as T);

async function holds<Body extends object>(
  bodies: fc.Arbitrary<Body>,
  plan: (body: Body) => Promise<Planned>,
  view: (id: string) => Promise<unknown>,
) {
  const property = fc.asyncProperty(given(bodies), async (body) => {
    const { id } = await world.run(plan(body));
    expect(await view(id)).toMatchObject(body);
  });
  await fc.assert(property, { numRuns: 12 });
}

test('education', () =>
  holds(
    fc.record({
      topic: words,
      learner: maybe(person),
      material: maybe(fc.record({ url: fc.constant('https://medlineplus.gov/x'), title: maybe(words) })),
      language: maybe(fc.constantFrom('es', 'es-US', 'zh-Hant')),
      readingLevel: maybe(fc.record({ text: words })),
      due: maybe(coming),
      owner: maybe(fc.constant({ reference: 'Practitioner/doctor' })),
    }),
    (body) => assignEducation(world.records, world.caller(), { caseId, body: body as never }),
    (id) => showEducation(world.records, caseId, id),
  ));

test('preferences', () =>
  holds(
    fc.record({
      kind: fc.constantFrom('treatment' as const, 'care-experience' as const),
      preference: words,
      since: maybe(past),
      saidBy: maybe(person),
    }),
    (body) => recordPreference(world.records, world.caller(), { caseId, body: body as never }),
    (id) => showPreference(world.records, caseId, id),
  ));

test('advance directives', () =>
  holds(
    fc.record({
      type: fc.record({ code: fc.constantFrom('42348-3', '86533-7', '93037-0'), text: words }),
      url: fc.constantFrom('https://example.org/1', 'urn:oid:1.2.3'),
      contentType: maybe(fc.constant('application/pdf')),
      title: maybe(words),
      signed: maybe(past),
    }),
    (body) => recordDirective(world.records, world.caller(), { caseId, body: body as never }),
    (id) => showDirective(world.records, caseId, id),
  ));

test('flags', () =>
  holds(
    fc
      .record({
        warning: fc.record({
          system: fc.constant('https://baton.health/fhir/CodeSystem/flag-kind'),
          code: fc.constant('fall-risk'),
          text: words,
        }),
        since: maybe(past),
        until: maybe(coming),
      })
      .map((one) => ({
        ...one,
        until: one.until === '2026-11-30' && !one.since ? undefined : one.until,
        category: undefined,
      })),
    ({ category: _, ...body }) =>
      raiseFlag(world.records, world.caller(), { caseId, body: { ...body, category: 'safety' } as never }),
    (id) => showFlag(world.records, caseId, id),
  ));

test('incidents', () =>
  holds(
    fc.record({
      kind: fc.constantFrom('fall' as const, 'other' as const, 'delay' as const),
      happened: fc.boolean(),
      description: words,
      at: past.map((date) => `${date}T03:00:00-05:00`),
      severity: maybe(fc.constantFrom('mild' as const, 'severe' as const)),
      serious: maybe(fc.boolean()),
      location: maybe(fc.constant({ reference: 'Location/room' })),
    }),
    (body) => recordIncident(world.records, world.caller(), { caseId, body: body as never }),
    (id) => showIncident(world.records, caseId, id),
  ));

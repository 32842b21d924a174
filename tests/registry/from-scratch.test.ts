// What the registry keeps current, edit by edit, is what it would say of the record as it is in the end.

import type { Patient, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scoreOf } from '../../src/care/panels/score-assessment.ts';
import { condition, measured, openPopulation, type Population, person, stay } from './population.ts';

let kept: Population;
let fresh: Population;
beforeAll(async () => {
  [kept, fresh] = [await openPopulation(), await openPopulation()];
});
afterAll(async () => {
  await kept.temp.cleanup();
  await fresh.temp.cleanup();
});

/** Panels on which somebody stays who no longer meets the criteria say more than the record does. */
const REMEMBERS = 'diabetes-out-of-control';
const CODES = ['J44.9', 'I50.9', 'N18.4', 'E11.9', 'R54', 'Z63.6', 'M54.5'];

type Edit =
  | { readonly do: 'put' | 'delete'; readonly slot: number; readonly patient: number; readonly what: number }
  | { readonly do: 'die' | 'revive'; readonly patient: number }
  | { readonly do: 'run' | 'tick' }
  | { readonly do: 'wait'; readonly days: number };

const patient = fc.nat(1);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), slot: fc.nat(7), patient, what: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('delete' as const), slot: fc.nat(7), patient, what: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'revive' as const), patient }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('run' as const, 'tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 200 }) }) },
);

/** The slot tells the type, so that an edit of a slot is an edit of the same resource, maybe of another patient. */
function written(id: string, slot: number, whose: string, what: number): Resource {
  const month = String((what % 10) + 1).padStart(2, '0');
  if (slot < 4) return condition(`${id}-c${slot}`, whose, CODES[what % CODES.length] ?? 'M54.5');
  if (slot < 6) return stay(`${id}-e${slot}`, whose, `2026-${month}-01`, `2026-${month}-04`);
  const code = slot === 6 ? '10230-1' : '33762-6';
  return measured(`${id}-o${slot}`, whose, code, slot === 6 ? what * 8 : what * 300, `2026-${month}-02`);
}

async function said(population: Population, prefix: string): Promise<string[]> {
  const roster = (await population.roster()).filter((one) => one.includes(prefix) && !one.startsWith(REMEMBERS));
  const assessments = await population.all('RiskAssessment');
  const risks = assessments
    .filter(({ status, subject }) => status === 'final' && subject.reference?.includes(prefix))
    .map(
      (one) =>
        `${one.subject.reference} ${scoreOf(one)} ${one.basis?.map(({ reference }) => reference)} ${one.note?.[0]?.text}`,
    );
  return [...roster, ...risks.sort()];
}

it('equals an evaluation from scratch after any edits', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 25 }), async (edits) => {
      const prefix = `run${runs++}x`;
      const people: Patient[] = [0, 1].map(
        (n) => person(`${prefix}${n}`, n === 0 ? '1940-02-02' : '1980-02-02') as Patient,
      );
      const present = new Map<string, Resource>(people.map((one) => [`Patient/${one.id}`, one]));
      let now = Temporal.Instant.from('2026-11-28T15:00:00Z');
      kept.at(now.toString());
      await kept.put(...people);
      await kept.registry.tick();
      const put = async (resource: Resource) => {
        present.set(`${resource.resourceType}/${resource.id}`, resource);
        await kept.put(resource);
      };
      for (const step of edits) {
        if (!('patient' in step) && !('days' in step)) {
          await (step.do === 'run' ? kept.registry.run() : kept.registry.tick());
        } else if ('days' in step) {
          now = now.add({ hours: 24 * step.days });
          kept.at(now.toString());
          await kept.registry.tick();
        } else if (!('slot' in step)) {
          const one = people[step.patient] as Patient;
          await put(step.do === 'die' ? { ...one, deceasedBoolean: true } : one);
        } else {
          const resource = written(prefix, step.slot, `${prefix}${step.patient}`, step.what);
          const key = `${resource.resourceType}/${resource.id}`;
          if (step.do === 'put') await put(resource);
          else if (present.delete(key)) await kept.remove(resource.resourceType, resource.id ?? '');
        }
      }
      // The day was looked at already: what was edited since is known from the log alone.
      await kept.registry.run();
      fresh.at(now.toString());
      await fresh.put(...present.values());
      await fresh.registry.tick();
      expect(await said(kept, prefix)).toEqual(await said(fresh, prefix));
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

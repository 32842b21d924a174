import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Action, apply, BUSINESS, days, hours, planOf, windowsOf } from './applied.ts';

const amount = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((value) => ({ offset: days(value), business: false })),
  fc.integer({ min: 0, max: 15 }).map((value) => ({ offset: days(value), business: true })),
  fc.integer({ min: 0, max: 200 }).map((value) => ({ offset: hours(value), business: false })),
);
const relationship = fc.constantFrom(
  'after',
  'after-start',
  'after-end',
  'concurrent-with-start',
  'concurrent',
) as fc.Arbitrary<NonNullable<NonNullable<Action['relatedAction']>[number]['relationship']>>;
const step = fc.record({ within: fc.option(amount), to: fc.option(fc.nat()), relationship, by: fc.option(amount) });

/** Each may be related to one before it. */
const pathway = fc.array(step, { minLength: 1, maxLength: 12 }).map((steps) =>
  steps.map(
    ({ within, to, relationship: how, by }, index): Action => ({
      id: `s${index}`,
      title: `Step ${index}`,
      ...(within ? { timingDuration: within.offset, ...(within.business ? BUSINESS : {}) } : {}),
      ...(to !== null && index > 0
        ? {
            relatedAction: [
              {
                actionId: `s${to % index}`,
                relationship: how,
                ...(by && how.startsWith('after')
                  ? { offsetDuration: by.offset, ...(by.business ? BUSINESS : {}) }
                  : {}),
              },
            ],
          }
        : {}),
    }),
  ),
);

it('the same pathway is planned the same, in whatever order its actions stand, and nothing ends before it begins', async () => {
  await fc.assert(
    fc.asyncProperty(pathway, async (actions) => {
      const once = windowsOf(await apply(planOf(actions)));
      expect(windowsOf(await apply(planOf(actions)))).toEqual(once);
      expect(windowsOf(await apply(planOf(actions.toReversed())))).toEqual(once);
      for (const window of Object.values(once)) {
        const [start = '', end = ''] = window.split('/');
        if (start && end) expect(Temporal.Instant.compare(start, end)).toBeLessThanOrEqual(0);
      }
    }),
    { numRuns: 100 },
  );
});

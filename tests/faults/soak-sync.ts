// Random days between two servers until so many steps are done; stops at the first world that went wrong and says how to
// come back to it. By hand: npm run soak:sync -- --steps 200000 --seed 1
import { parseArgs } from 'node:util';
import { BARE, everyCall, PLAIN } from '../support/model/every-call.ts';
import { type DayReport, randomDays } from '../support/model/random-days.ts';
import { seedIds } from './seeded-ids.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    /** Steps of one world, before it comes to rest and is looked at. */
    world: { type: 'string', default: '250' },
    story: { type: 'boolean', default: false },
    /** Fails every single call of a day instead. */
    nth: { type: 'boolean', default: false },
    /** Only some of its twelve rounds, e.g. 3 or 3,4; each takes long. */
    round: { type: 'string', default: '' },
    /** Goes on after a world that went wrong. */
    all: { type: 'boolean', default: false },
  },
});
const [total, first, size] = [Number(values.steps), Number(values.seed), Number(values.world)];
const begun = performance.now();
// A call that hangs is ended by a timer that does not keep the process.
const awake = setInterval(() => undefined, 60_000);
const sum = { steps: 0, worlds: 0, edits: 0, crashes: 0, restores: 0, conflicts: 0, requests: 0, writes: 0, bad: 0 };

function tell(): void {
  const rate = Math.round(sum.steps / ((performance.now() - begun) / 1000));
  console.log(`${JSON.stringify(sum)} ${rate} steps a second`);
}

async function failAll(): Promise<void> {
  const chosen = values.round.split(',').filter(Boolean).map(Number);
  const rounds = [PLAIN, BARE].flatMap((knobs) =>
    (['before', 'after', 'hang'] as const).flatMap((failing) =>
      [false, true].map((deadly) => ({ knobs, failing, deadly })),
    ),
  );
  for (const [at, { knobs, failing, deadly }] of rounds.entries()) {
    if (chosen.length > 0 && !chosen.includes(at + 1)) continue;
    const calls = await everyCall({ knobs, failing, deadly, reach: 'everything', stride: 1 });
    const how = `${knobs === PLAIN ? 'plain' : 'bare'} server, ${failing}, ${deadly ? 'dies' : 'lives'}`;
    console.log(`round ${at + 1} (${how}): each of ${calls} calls failed, all is well afterwards`);
  }
}

function add(report: DayReport): void {
  sum.worlds += 1;
  for (const name of ['steps', 'edits', 'crashes', 'restores', 'conflicts', 'requests', 'writes'] as const) {
    sum[name] += report[name];
  }
}

if (values.nth) await failAll();
for (let seed = first; !values.nth && sum.steps < total; seed += 1) {
  seedIds(seed);
  const report = await randomDays(seed, size, values.story);
  add(report);
  if (sum.worlds % 50 === 0) tell();
  if (report.damage.length === 0) continue;
  sum.bad += 1;
  if (values.story) console.log(report.story.join('\n'));
  console.log(`seed ${seed}, worlds of ${size} steps:\n${report.damage.join('\n')}`);
  console.log(`again: npm run soak:sync -- --steps ${size} --seed ${seed} --world ${size} --story`);
  process.exitCode = 1;
  if (!values.all) break;
}
tell();
clearInterval(awake);

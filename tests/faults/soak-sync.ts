// Random days between two servers until so many steps are done; stops at the first world that went wrong and says how to
// come back to it. By hand: npm run soak:sync -- --steps 200000 --seed 1
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BARE, everyCall, PLAIN } from '../support/model/every-call.ts';
import { mergeDays } from '../support/model/merge-days.ts';
import { randomDays } from '../support/model/random-days.ts';
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
    /** Which worlds: `edits` of what two servers share, `merges` of who is who, or either in turn. */
    about: { type: 'string', default: '' },
    /** Goes on after a world that went wrong. */
    all: { type: 'boolean', default: false },
  },
});
const [total, first, size] = [Number(values.steps), Number(values.seed), Number(values.world)];
const begun = performance.now();
// Processes die in these worlds, not the machine, so nothing has to reach a disk.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';
// A call that hangs is ended by a timer that does not keep the process.
const awake = setInterval(() => undefined, 60_000);
const WORLDS = { edits: randomDays, merges: mergeDays } as const;
const KINDS = (['edits', 'merges'] as const).filter((kind) => values.about === '' || values.about === kind);
const sum: Record<string, number> = { steps: 0, worlds: 0, bad: 0 };

function tell(): void {
  const rate = Math.round((sum.steps ?? 0) / ((performance.now() - begun) / 1000));
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

function add(report: object): void {
  sum.worlds = (sum.worlds ?? 0) + 1;
  for (const [name, value] of Object.entries(report)) {
    if (typeof value === 'number') sum[name] = (sum[name] ?? 0) + value;
  }
}

async function live(kind: (typeof KINDS)[number], seed: number): Promise<boolean> {
  seedIds(seed);
  const report = await WORLDS[kind](seed, size, values.story);
  add(report);
  if ((sum.worlds ?? 0) % 50 === 0) tell();
  if (report.damage.length === 0) return true;
  sum.bad = (sum.bad ?? 0) + 1;
  if (values.story) console.log(report.story.join('\n'));
  console.log(`${kind}, seed ${seed}, worlds of ${size} steps:\n${report.damage.join('\n')}`);
  const one = `--steps ${size} --seed ${seed} --world ${size} --about ${kind}`;
  console.log(`again: npm run soak:sync -- ${one} --story`);
  process.exitCode = 1;
  return false;
}

if (values.nth) await failAll();
for (let seed = first, isWell = true; !values.nth && (sum.steps ?? 0) < total && (isWell || values.all); seed += 1) {
  for (const kind of KINDS) isWell = (isWell || values.all) && (await live(kind, seed)) && isWell;
}
tell();
clearInterval(awake);

// Kills the program at random moments of the sandbox day and starts it again, until it has been killed often enough;
// then lets it finish and compares what is there with a day that nobody disturbed.
// By hand: node tests/faults/kill-sandbox-day.ts 20 [seed]
import { setTimeout as sleep } from 'node:timers/promises';
import { type Census, type DayPlace, newDayPlace, startProgram, takeCensus } from '../acceptance/sandbox-day.ts';
import { randomFrom } from '../support/seeded-random.ts';

export interface KillRow {
  readonly kill: number;
  readonly during: 'start' | 'day';
  /** Milliseconds from the start of the process, or from the line of the story that it had got to. */
  readonly afterMs: number;
  /** Lines of the story it got to print. */
  readonly lines: number;
}

export interface KillReport {
  readonly rows: readonly KillRow[];
  readonly undisturbed: Census;
  readonly killed: Census;
}

/** Lines before the story's first, and about as many as it has; milliseconds within which the next thing happens. */
const HEADING = 4;
const STORY = 40;
const PAUSE = 200;

/** @param kills how often the process is killed before it may finish */
export async function killSandboxDay(kills: number, seed = 1): Promise<KillReport> {
  const calm = await finish(await newDayPlace());
  const place = await newDayPlace();
  const random = randomFrom(seed);
  const rows: KillRow[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    const program = startProgram(place);
    // One in six dies while it starts, the others a few lines of the story later, so that the kills reach its end.
    const inStart = random() < 1 / 6;
    const further = HEADING + Math.floor((2 * STORY * random()) / kills);
    const afterMs = Math.round(random() * (inStart ? calm.startMs : PAUSE));
    if (!inStart) await program.printed(further);
    await sleep(afterMs);
    await program.kill();
    rows.push({ kill, during: inStart ? 'start' : 'day', afterMs, lines: program.lines.length });
  }
  const { census } = await finish(place);
  return { rows, undisturbed: calm.census, killed: census };
}

/** Lets the program run to the end of the day. */
async function finish(place: DayPlace) {
  const began = performance.now();
  const program = startProgram(place);
  const baseUrl = await program.baseUrl;
  const startMs = performance.now() - began;
  const token = await program.token;
  const dayMs = performance.now() - began - startMs;
  const census = await takeCensus(baseUrl, token);
  await program.kill();
  await place.remove();
  return { census, startMs, dayMs };
}

if (import.meta.main) {
  const [count = '20', seed = '1'] = process.argv.slice(2);
  const { rows, undisturbed, killed } = await killSandboxDay(Number(count), Number(seed));
  console.table(rows);
  const types = Object.keys(undisturbed.baton);
  console.table(
    Object.fromEntries(
      types.map((type) => [
        type,
        {
          undisturbed: undisturbed.baton[type],
          killed: killed.baton[type],
          ehr: undisturbed.ehr[type],
          'ehr killed': killed.ehr[type],
        },
      ]),
    ),
  );
  const same = JSON.stringify(killed) === JSON.stringify(undisturbed);
  console.log(
    `follow-ups: ${undisturbed.followUps.length} undisturbed, ${killed.followUps.length} after ${rows.length} kills`,
  );
  console.log(`duplicates: ${killed.duplicates.length}`);
  console.log(same ? 'The killed day left exactly what the undisturbed day left.' : 'THE TWO DAYS DIFFER.');
  process.exitCode = same ? 0 : 1;
}

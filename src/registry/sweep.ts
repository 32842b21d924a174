// Looks at every patient once a day, because time alone puts people on panels: a result gets old, somebody turns 75, a decline
// ends. A changed rule begins it anew. It goes on where it stopped, also in another process.
import { localDate } from '../care/local-time.ts';
import { asFault, FAULTS } from '../fault.ts';
import { withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { evaluatePatient } from './evaluate.ts';
import { ACTOR, type Parts } from './parts.ts';

const NAME = 'patients';
const LEASE = Temporal.Duration.from({ seconds: 30 });
const PAGE = 100;
/** Patients of one call, so that the log is followed in between, and whoever asks meanwhile is answered. */
const MOST_PER_SWEEP = 1_000;

const SELECT = 'SELECT rules, day, position, done FROM registry_sweep WHERE name = ?';
const KEEP = `INSERT INTO registry_sweep (name, rules, day, position, done) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET rules = excluded.rules, day = excluded.day, position = excluded.position,
    done = excluded.done`;

interface Progress {
  readonly rules: string;
  readonly day: string;
  /** '' at the beginning. */
  readonly position: string;
  readonly done: boolean;
}

/** Evaluates the next patients of today's sweep; none when it is done, or while another process sweeps. */
export async function sweepPatients(parts: Parts): Promise<number> {
  const { store, clock } = parts;
  const fresh = freshProgress(parts);
  if (isOf(await readProgress(parts), fresh)?.done) return 0;
  const result = await withLease(store, clock, 'registry-sweep', LEASE, async ({ fence, signal }) => {
    const stop = AbortSignal.any([signal, parts.signal]);
    let progress = await resumable(parts, isOf(await readProgress(parts), fresh) ?? fresh);
    let swept = 0;
    while (!progress.done && swept < MOST_PER_SWEEP && !stop.aborted) {
      const page = await patientsAfter(parts, progress.position);
      for (const id of page.ids) {
        if (stop.aborted) return swept;
        await evaluatePatient(parts, id, { fence });
        swept += 1;
      }
      progress = { ...progress, position: page.next ?? '', done: page.next === undefined };
      await store.commit(ACTOR, [], [keep(progress), fence]);
    }
    return swept;
  });
  return result.held ? result.value : 0;
}

/** Whether everybody has been looked at today by these rules. */
export async function isSwept(parts: Parts): Promise<boolean> {
  return isOf(await readProgress(parts), freshProgress(parts))?.done ?? false;
}

function freshProgress({ clock, zone, panels }: Parts): Progress {
  const day = localDate(clock.now(), zone).toString();
  return { rules: panels.fingerprint, day, position: '', done: false };
}

/** The progress when it is of the same rules and day. */
function isOf(progress: Progress | undefined, { rules, day }: Progress): Progress | undefined {
  return progress?.rules === rules && progress.day === day ? progress : undefined;
}

/** A position that the store does not know any more, as after a restore, is the beginning. */
async function resumable(parts: Parts, progress: Progress): Promise<Progress> {
  if (progress.position === '') return progress;
  try {
    await patientsAfter(parts, progress.position);
    return progress;
  } catch (error) {
    if (FAULTS[asFault(error).kind].retry !== 'permanent') throw error;
    return { ...progress, position: '' };
  }
}

async function readProgress({ store }: Parts): Promise<Progress | undefined> {
  const [row] = await store.query(SELECT, [NAME]);
  if (!row) return undefined;
  const { rules, day, position, done } = row;
  return { rules: String(rules), day: String(day), position: String(position), done: Number(done) === 1 };
}

function keep({ rules, day, position, done }: Progress): Statement {
  return { sql: KEEP, params: [NAME, rules, day, position, done ? 1 : 0] };
}

async function patientsAfter({ store, parse }: Parts, position: string) {
  const query = parse(`Patient?_count=${PAGE}`);
  const page = await store.search(position === '' ? query : { ...query, cursor: position });
  return { ids: page.items.map(({ id }) => id), next: page.next };
}

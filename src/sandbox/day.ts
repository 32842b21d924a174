// The scripted day: messages of a small hospital around Thanksgiving 2026, and what a nurse there does. Every step may
// run again after a crash without doubling anything.
import type { ClockMover } from './clock-mover.ts';
import type { DayProgress } from './day-progress.ts';

export interface DayStep {
  /** Remembered under this name. */
  readonly name: string;
  /** Business time; the clock is moved there, and what falls due on the way happens first. */
  readonly at: string;
  /** File in `fixtures/sandbox` to send over MLLP. */
  readonly message?: string;
  /** Follow-ups that somebody does in the EHR. */
  readonly completions?: readonly Completion[];
  /** Medical record number of the patient whose plan should be in the EHR by then. */
  readonly showPlanOf?: string;
  /** Done only when nothing is on its way to the EHR any more. */
  readonly untilAllSent?: boolean;
}

export interface Completion {
  /** Medical record number. */
  readonly mrn: string;
  /** Step of the protocol, as in the follow-up's identifier. */
  readonly step: string;
  readonly note: string;
}

const OKAFOR = 'MRN48210';
const LINDQVIST = 'MRN50377';
const PCP_TOLD = 'Discharge summary sent to the primary care office; receipt confirmed by telephone.';
const SUMMARY = 'Discharge summary received; nothing is missing, no results are pending.';

/** Times are New York, UTC-5. Thursday 26 November is Thanksgiving, so two business days from Wednesday end on Monday. */
export const DAY: readonly DayStep[] = [
  { name: 'admit-okafor', at: '2026-11-20T09:15-05:00', message: '01-admit-okafor.hl7' },
  { name: 'admit-lindqvist', at: '2026-11-23T07:00-05:00', message: '02-admit-lindqvist.hl7' },
  { name: 'admit-delgado', at: '2026-11-24T18:40-05:00', message: '03-admit-delgado.hl7' },
  {
    name: 'discharge-lindqvist',
    at: '2026-11-25T11:05-05:00',
    message: '04-discharge-lindqvist.hl7',
    showPlanOf: LINDQVIST,
  },
  { name: 'discharge-okafor', at: '2026-11-25T14:30-05:00', message: '05-discharge-okafor.hl7', showPlanOf: OKAFOR },
  {
    name: 'tell-primary-care',
    at: '2026-11-25T16:00-05:00',
    completions: [
      { mrn: LINDQVIST, step: 'notify-pcp', note: PCP_TOLD },
      { mrn: OKAFOR, step: 'notify-pcp', note: PCP_TOLD },
      { mrn: LINDQVIST, step: 'discharge-information', note: SUMMARY },
      { mrn: OKAFOR, step: 'discharge-information', note: SUMMARY },
    ],
  },
  {
    name: 'friday-morning',
    at: '2026-11-27T09:00-05:00',
    completions: [{ mrn: OKAFOR, step: 'home-health-start', note: 'The agency made its first visit on Thursday.' }],
  },
  { name: 'discharge-delgado', at: '2026-11-27T10:20-05:00', message: '06-discharge-delgado.hl7' },
  { name: 'cancel-delgado', at: '2026-11-27T13:45-05:00', message: '07-cancel-discharge-delgado.hl7' },
  {
    name: 'first-call',
    at: '2026-11-30T10:05-05:00',
    completions: [
      {
        mrn: OKAFOR,
        step: 'contact',
        note: 'Reached by telephone, daughter on the line. Weight stable, medicines understood.',
      },
    ],
  },
  { name: 'tuesday-morning', at: '2026-12-01T08:00-05:00', untilAllSent: true },
];

export interface DayActs {
  send(file: string): Promise<void>;
  complete(completion: Completion): Promise<void>;
  /** Fails until Baton knows of it. */
  requirePulled(completion: Completion): Promise<void>;
  showPlan(mrn: string): Promise<void>;
  /** Fails while anything is on its way. */
  requireAllSent(): Promise<void>;
  /** Tells that the day is over, and how to go on. */
  end(): Promise<void>;
}

export interface DayOptions {
  readonly progress: DayProgress;
  readonly mover: ClockMover;
  readonly acts: DayActs;
  readonly signal: AbortSignal;
  /** Called when a step failed, or the end; it is tried again when the promise resolves. */
  readonly onFailure: (step: string, error: unknown) => Promise<void>;
}

/** Runs the steps that are not done yet, in order, and the end. Resolves after that, or when the signal says stop. */
export async function runDay(options: DayOptions, steps: readonly DayStep[] = DAY): Promise<void> {
  const { progress, acts } = options;
  for (const step of steps) {
    if (progress.has(step.name)) continue;
    await untilDone(step.name, options, async () => {
      await runStep(step, options);
      progress.add(step.name);
    });
  }
  // Tried again as well: whoever waits for the last line would wait for ever after one failure.
  await untilDone('end', options, () => acts.end());
}

async function untilDone(step: string, { signal, onFailure }: DayOptions, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) await onFailure(step, error);
    }
  }
}

async function runStep(step: DayStep, { mover, acts }: DayOptions): Promise<void> {
  await mover.moveTo(Temporal.Instant.from(step.at));
  if (step.message) await acts.send(step.message);
  for (const completion of step.completions ?? []) await acts.complete(completion);
  await mover.moveTo(mover.now());
  for (const completion of step.completions ?? []) await acts.requirePulled(completion);
  if (step.showPlanOf) await acts.showPlan(step.showPlanOf);
  if (step.untilAllSent) await acts.requireAllSent();
}

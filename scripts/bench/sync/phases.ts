// The pulls whose memory is measured, each in a process of its own.

export const PHASES = {
  first: 'pull by search, everything is new',
  window: 'quiet pull: what changed since the watermark',
  search: 'pull by search, all of it again, nothing changed',
  roster: 'patient by patient: every answer is new, nothing changed',
  'roster-again': 'patient by patient: every answer is the known one',
  sweep: 'sweep: everything linked compared with everything there',
} as const;
export type Phase = keyof typeof PHASES;

export interface PhaseRow {
  readonly phase: Phase;
  readonly links: number;
  readonly seconds: number;
  /** Rows that queries of sync and store gave. */
  readonly rowsRead: number;
  /** Bytes of resident memory: at the end, and the most there ever was. */
  readonly resident: number;
  readonly peak: number;
}

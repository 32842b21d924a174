// What a check of a connection found: steps on the way to the server, then each type. Without patient data.

import type { TypeAbilities } from '../pull/type-abilities.ts';
import type { Direction } from './settings.ts';

/** `note`: works, with something to know. `bad`: does not work. */
export type Finding = 'ok' | 'note' | 'bad';

export type StepName = 'settings' | 'name' | 'tls' | 'http' | 'smart' | 'token' | 'metadata' | 'clock' | 'patients';

export interface Step {
  readonly step: StepName;
  readonly finding: Finding;
  readonly sentence: string;
}

export interface TypeFinding {
  readonly type: string;
  readonly direction: Direction;
  readonly finding: Finding;
  readonly sentence: string;
  readonly abilities: TypeAbilities;
}

export interface CheckReport {
  readonly connection: string;
  readonly baseUrl: string;
  readonly vendor: string;
  /** Nothing on the way fails, and something can flow. */
  readonly usable: boolean;
  readonly steps: readonly Step[];
  readonly types: readonly TypeFinding[];
}

export function isUsable(steps: readonly Step[], types: readonly TypeFinding[]): boolean {
  const isReached = steps.every(({ finding }) => finding !== 'bad');
  return isReached && (types.length === 0 || types.some(({ finding }) => finding !== 'bad'));
}

/** For a terminal. */
export function describeReport({ connection, baseUrl, vendor, usable, steps, types }: CheckReport): string {
  const row = (finding: Finding, what: string, sentence: string) =>
    `${(finding === 'bad' ? 'BAD' : finding).padEnd(5)} ${what.padEnd(9)} ${sentence}`;
  return [
    `${connection}  ${baseUrl}  ${vendor}`,
    ...steps.map(({ step, finding, sentence }) => row(finding, step, sentence)),
    ...types.map(({ direction, finding, sentence }) => row(finding, direction, sentence)),
    usable ? 'This connection can be used.' : 'This connection cannot be used as it is.',
  ].join('\n');
}

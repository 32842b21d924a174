// What the story needs to know of a resource, in plain words.
import type { CodeableConcept, Encounter, Task } from '@medplum/fhirtypes';
import { idOf, readResource } from '../../care/stored.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../../care/systems.ts';
import type { Store } from '../../store/store.ts';

export interface FollowUp {
  /** Value of `urn:baton:follow-up`: `EPISODE|STEP|OCCURRENCE`. */
  readonly key: string;
  readonly step: string;
  readonly patient: string;
  /** What it is about, e.g. `interactive contact`. */
  readonly title: string;
  readonly status: Task['status'];
  /** Code of CodeSystem follow-up-status; empty when somebody wrote over it. */
  readonly clock: string;
  readonly deadline: Temporal.Instant | undefined;
}

const LATE: ReadonlySet<string> = new Set(['overdue', 'escalated', 'acknowledged']);

/** Its deadline has passed and nobody has done it. */
export const isLate = ({ clock }: Pick<FollowUp, 'clock'>): boolean => LATE.has(clock);

/** undefined when the Task is no follow-up of a protocol. */
export function followUpOf(task: Task): FollowUp | undefined {
  const key = task.identifier?.find(({ system }) => system === IDENTIFIER.followUp)?.value;
  if (key === undefined) return undefined;
  const end = task.restriction?.period?.end;
  const clock = task.businessStatus?.coding?.find(({ system }) => system === CODE_SYSTEM.followUpStatus)?.code;
  return {
    key,
    step: key.split('|')[1] ?? '',
    patient: task.for?.reference ?? '',
    title: lowerFirst(wordsOf(task.code) || (task.description ?? 'follow-up')),
    status: task.status,
    clock: clock ?? '',
    deadline: end === undefined ? undefined : Temporal.Instant.from(end),
  };
}

export const isEscalation = (task: Task): boolean =>
  task.code?.coding?.some(({ system, code }) => system === CODE_SYSTEM.followUpStep && code === 'escalation') ?? false;

/** `Eleanor Okafor`; everybody in the sandbox is fictional. */
export async function nameOf(store: Store, reference: string | undefined): Promise<string> {
  const patient = await readResource(store, 'Patient', idOf({ reference }, 'Patient'));
  const name = patient?.name?.[0];
  return [name?.given?.[0], name?.family].filter(Boolean).join(' ') || 'Somebody';
}

/** First diagnosis of a stay as the hospital worded it. */
export async function diagnosisOf(store: Store, encounter: Encounter): Promise<string> {
  const first = [...(encounter.diagnosis ?? [])].sort((a, b) => (a.rank ?? 99) - (b.rank ?? 99))[0];
  const condition = await readResource(store, 'Condition', idOf(first?.condition, 'Condition'));
  return wordsOf(condition?.code);
}

export const wordsOf = (concept: CodeableConcept | undefined): string =>
  concept?.text ?? concept?.coding?.find(({ display }) => display)?.display ?? concept?.coding?.[0]?.code ?? '';

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** `a, b and c` */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

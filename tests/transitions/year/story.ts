// What is told of the simulated year: who is told of, by which door, and what every message says. Times are epoch seconds.

/** Patient class: inpatient, emergency, ambulatory. */
export type PatientClass = 'I' | 'E' | 'O';

export interface Visit {
  readonly id: string;
  readonly patient: string;
  /** The number that the patient was registered under by mistake; a record of its own until it is merged. */
  readonly alias?: string;
  readonly place: string;
  readonly patientClass: PatientClass;
  /** PV1-4, table 0007. */
  readonly admissionType: 'E' | 'U' | 'C' | 'R';
  readonly start: number;
}

export interface Person {
  readonly id: string;
  /** Told by FHIR writes instead of HL7 v2. */
  readonly byFhir: boolean;
  readonly birthYear: number;
  /** ICD-10-CM codes, the same in everything that is told. */
  readonly conditions: readonly string[];
  /** Who looks after the patient, by ids of Practitioners; the facility where nobody is named. */
  readonly staff?: Staff;
}

export interface Staff {
  readonly manager?: string;
  readonly backup: string;
  /** Until the end of a day in the time zone of the facility; then the next. */
  readonly supervisor: string;
  readonly lastDay: string;
  readonly nextSupervisor: string;
}

/** The end of a stay as a sender gives it: a moment, a day, or not at all. */
export type ToldEnd = { readonly at: number } | { readonly day: string };

export type Trigger = 'A01' | 'A02' | 'A03' | 'A04' | 'A08' | 'A11' | 'A13';

export interface Message {
  readonly kind: 'message';
  readonly visit: Visit;
  readonly trigger: Trigger;
  /** MSH-10. */
  readonly controlId: string;
  /** EVN-2: when the event was recorded. Its order is the order of the visit's events. */
  readonly recorded: number;
  /** EVN-6, when it happened. */
  readonly occurred?: number;
  readonly end?: ToldEnd;
  /** PV1-36, NUBC. */
  readonly disposition?: string;
  /** PID-30. */
  readonly died?: boolean;
}

/** The whole state of a visit as a FHIR write puts it. */
export interface Put {
  readonly kind: 'put';
  readonly visit: Visit;
  readonly status: 'in-progress' | 'finished' | 'cancelled' | 'entered-in-error';
  readonly end?: ToldEnd;
  readonly disposition?: string;
}

/** A FHIR write of the Patient. */
export interface Death {
  readonly kind: 'death';
  readonly patient: string;
  readonly died: boolean;
}

/** Two records are one person's (A40). */
export interface Merge {
  readonly kind: 'merge';
  readonly patient: string;
  readonly alias: string;
  readonly place: string;
  readonly controlId: string;
  readonly recorded: number;
}

export type Telling = (Message | Put | Death | Merge) & {
  /** When it is first sent. */
  readonly arrives: number;
};

export interface Story {
  readonly seed: number;
  readonly begins: number;
  readonly ends: number;
  readonly people: readonly Person[];
  readonly visits: readonly Visit[];
  /** In the order of sending. */
  readonly tellings: readonly Telling[];
}

export function patientOf(telling: Telling): string {
  return telling.kind === 'death' || telling.kind === 'merge' ? telling.patient : telling.visit.patient;
}

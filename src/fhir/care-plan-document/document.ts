// A care plan as people read it: headings, facts and items, before it becomes text or PDF. Pure data.
import { hashJson, type JsonObject } from '../canonical-json.ts';

export interface Fact {
  readonly label: string;
  readonly text: string;
}

export interface Item {
  readonly text: string;
  readonly facts: readonly Fact[];
}

export interface Section {
  readonly heading: string;
  readonly items: readonly Item[];
}

export interface PlanDocument {
  readonly title: string;
  /** Who it is about, for the foot of every page. */
  readonly person: string;
  /** False when something that belongs to it is not shown. */
  readonly isComplete: boolean;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  /** FHIR instant of the newest change of anything in it, so that the same versions make the same document. */
  readonly produced: string;
  /** `CarePlan/12 version 3`, what it was made of. */
  readonly sources: readonly string[];
}

/**
 * What every reader is told of a document that leaves something out. It does not say what or why, because that a consent
 * keeps something back may itself be what the patient wants to keep.
 */
export const INCOMPLETE =
  'This document may not contain the whole plan. Ask the sender before you rely on something being absent.';

/** Tells one readable content from another; versions and times of writing do not count. */
export function contentHash(document: PlanDocument): string {
  const { produced: _produced, sources: _sources, ...readable } = document;
  return hashJson(readable as unknown as JsonObject);
}

// Keeps account of every edit at every place, so that afterwards it can be told whether one was lost. Each edit writes a
// text that no other has, so the value that an edit replaced names the edit it was made in view of.
import type { CarePlan, Patient, Resource, Task } from '@medplum/fhirtypes';
import type { Preference } from '../../../src/fhir/merge3.ts';

export type Place = 'here' | 'a' | 'b';
export type Made = Task | CarePlan | Patient;

/** An element that edits write, and who wins when two places write it at once (profiles/policies). */
export interface Element {
  readonly type: Made['resourceType'];
  readonly name: string;
  readonly policy: Preference;
  get(resource: Made): string | undefined;
  set(resource: Made, text: string): Made;
}

const DAY = '2026-11-24T12:00:00Z';

export const ELEMENTS: readonly Element[] = [
  text('Task', 'description', 'review'),
  concept('Task', 'businessStatus', 'ours'),
  concept('Task', 'statusReason', 'theirs'),
  note('Task'),
  text('CarePlan', 'title', 'ours'),
  text('CarePlan', 'description', 'ours'),
  note('CarePlan'),
  concept('Patient', 'maritalStatus', 'review'),
];

function text(type: Made['resourceType'], name: string, policy: Preference): Element {
  const get = (resource: Made) => (resource as unknown as Record<string, string | undefined>)[name];
  return { type, name, policy, get, set: (resource, value) => ({ ...resource, [name]: value }) };
}

function concept(type: Made['resourceType'], name: string, policy: Preference): Element {
  const get = (resource: Made) => (resource as unknown as Record<string, { text?: string } | undefined>)[name]?.text;
  return { type, name, policy, get, set: (resource, value) => ({ ...resource, [name]: { text: value } }) };
}

function note(type: 'Task' | 'CarePlan'): Element {
  return {
    type,
    name: 'note',
    policy: 'append',
    get: () => undefined,
    set: (resource, value) => ({ ...resource, note: [...notesOf(resource), { time: DAY, text: value }] }) as Made,
  };
}

export function notesOf(resource: Made): { text?: string }[] {
  return 'note' in resource ? (resource.note ?? []) : [];
}

/** The same for all copies of one resource; what a resource is known by in these tests. */
export function keyOf(resource: Resource): string {
  if (resource.resourceType === 'Task') return resource.groupIdentifier?.value ?? '';
  if (resource.resourceType === 'CarePlan') return resource.instantiatesUri?.[0] ?? '';
  return resource.resourceType === 'Patient' ? (resource.name?.[0]?.family ?? '') : '';
}

interface Edit {
  readonly text: string;
  readonly parent: string | undefined;
  readonly place: Place;
}

export class Edits {
  /** By `key name`. */
  readonly #edits = new Map<string, Edit[]>();
  /** By `key name`: what was chosen over what. */
  readonly #chosen = new Map<string, { readonly text: string | undefined; readonly over: string | undefined }[]>();
  #count = 0;

  /** Applies a new edit to a copy. */
  make(place: Place, element: Element, resource: Made): Made {
    this.#count += 1;
    const edit = { text: `e${this.#count}.`, parent: element.get(resource), place };
    const known = `${keyOf(resource)} ${element.name}`;
    this.#edits.set(known, [...(this.#edits.get(known) ?? []), edit]);
    return element.set(resource, edit.text);
  }

  /** A person looked at both copies and chose one: its values are newer than those of the other from here on. */
  choose(chosen: Made, other: Made): void {
    for (const element of ELEMENTS) {
      if (element.type !== chosen.resourceType || element.policy === 'append') continue;
      const [text, over] = [element.get(chosen), element.get(other)];
      const known = `${keyOf(chosen)} ${element.name}`;
      if (text !== over) this.#chosen.set(known, [...(this.#chosen.get(known) ?? []), { text, over }]);
    }
  }

  /** Drops what was made at a place and is gone with it, because nobody else had seen it. */
  forget(place: Place, isSeen: (text: string) => boolean): void {
    for (const [known, edits] of this.#edits) {
      const kept: Edit[] = [];
      for (const edit of edits.toReversed()) {
        const wasSeen = isSeen(edit.text) || kept.some(({ parent }) => parent === edit.text);
        if (edit.place !== place || wasSeen) kept.unshift(edit);
      }
      this.#edits.set(known, kept);
    }
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Sentences about edits that are neither in the final copy, nor followed by another, nor before a person.
   * @param asked whether the text was in a conflict
   */
  lost(resource: Made, asked: (text: string) => boolean): string[] {
    const lost: string[] = [];
    for (const element of ELEMENTS) {
      if (element.type !== resource.resourceType) continue;
      const edits = this.#edits.get(`${keyOf(resource)} ${element.name}`) ?? [];
      const say = (edit: Edit, why: string) =>
        lost.push(`${keyOf(resource)}.${element.name}: ${edit.text} made at ${edit.place} ${why}`);
      if (element.policy === 'append') {
        const there = new Set(notesOf(resource).map((one) => one.text));
        for (const edit of edits) if (!there.has(edit.text) && !asked(edit.text)) say(edit, 'is not there');
        continue;
      }
      const final = element.get(resource);
      const parents = new Set(edits.map(({ parent }) => parent));
      for (const edit of edits) {
        if (edit.text === final || parents.has(edit.text) || asked(edit.text)) continue;
        const chosen = this.#chosen.get(`${keyOf(resource)} ${element.name}`) ?? [];
        const isNewer = chosen.some(({ text, over }) => text === final && grewFrom(edits, edit, over, text));
        if (grewFrom(edits, edit, final) && !isNewer) say(edit, `was overwritten by the older ${final}`);
        else if (element.policy === 'review') say(edit, `gave way to ${final} without a question`);
      }
    }
    return lost;
  }
}

/** Whether an edit was made in view of an earlier value, directly or through others, which `end` is not one of. */
function grewFrom(edits: readonly Edit[], edit: Edit, earlier: string | undefined, end?: string | undefined): boolean {
  let parent = edit.parent;
  for (let steps = 0; steps <= edits.length; steps += 1) {
    if (parent === earlier) return true;
    if (parent !== undefined && parent === end) return false;
    const before = edits.find(({ text: value }) => value === parent);
    if (!before) return false;
    parent = before.parent;
  }
  return false;
}

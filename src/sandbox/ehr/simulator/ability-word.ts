// How a knob names something that a server can do: `Task`, `Task.update`, `Task?modified`, or the name of a general ability.
import type { Ability } from '../vendors/vendor-rules.ts';
import { EHR_TYPES } from '../vocabulary.ts';

const GENERAL = ['conditional', 'versions', 'batch', 'transaction', 'history-system'] as const;
const OF_TYPES: Readonly<Record<Ability, true>> = {
  ...{ read: true, vread: true, search: true, create: true, update: true, patch: true, delete: true },
  ...{ 'history-instance': true, 'history-type': true },
};

export type AbilityWord =
  | { readonly general: (typeof GENERAL)[number] }
  | { readonly type: string; readonly ability?: string | undefined; readonly parameter?: string | undefined };

/** Undefined for a word that names nothing. */
export function readAbilityWord(word: string): AbilityWord | undefined {
  const general = GENERAL.find((one) => one === word);
  if (general) return { general };
  const [, type = '', ability, parameter] = /^([A-Z][A-Za-z]+)(?:\.([a-z-]+)|\?([\w-]+))?$/.exec(word) ?? [];
  const isKnown = EHR_TYPES.has(type) && (ability === undefined || Object.hasOwn(OF_TYPES, ability));
  return isKnown ? { type, ability, parameter } : undefined;
}

/** What there is, for whoever wrote another word. */
export const ABILITY_WORDS = `Write a type such as Task, Task.update (${Object.keys(OF_TYPES).join(', ')}), Task?modified, or ${GENERAL.join(', ')}.`;

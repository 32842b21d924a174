// The same document in words for the person it is about: spoken to, without what only machines and clerks need.
import type { Fact, Item, PlanDocument } from './document.ts';

const HEADINGS: Readonly<Record<string, string>> = {
  'Problems and concerns': 'Your health concerns',
  Goals: 'Your goals',
  Activities: 'What will be done',
  'Care team': 'Your care team',
  Notes: 'Notes',
};

const LABELS: Readonly<Record<string, string>> = {
  Patient: 'Name',
  'Born on': 'Date of birth',
  'Primary care': 'Your regular doctor or clinic',
  Period: 'From and until',
  Owner: 'Who does it',
  'Requested by': 'Who asked for it',
  Due: 'Until when',
  Done: 'When it was done',
  Stage: 'How far it is',
  Contact: 'How to reach',
  Achievement: 'How it is going',
  'Expressed by': 'Whose goal it is',
  Contributors: 'Who helped to write it',
  Author: 'Who wrote it',
};

/** Of no use to the person. */
const LEFT_OUT: ReadonlySet<string> = new Set(['Intent', 'Category', 'Certainty', 'Sex']);

/** Codes that say little outside of a record. */
const WORDS: Readonly<Record<string, string>> = {
  active: 'going on',
  proposed: 'suggested',
  planned: 'planned',
  accepted: 'agreed',
  requested: 'asked for',
  received: 'asked for',
  ready: 'about to begin',
  draft: 'being prepared',
  'in progress': 'being done',
  'on hold': 'paused',
  completed: 'done',
  cancelled: 'called off',
  revoked: 'ended early',
  rejected: 'declined',
  failed: 'did not work out',
  'entered in error': 'a mistake in the record',
};

/** @param language that the person would rather read, in words; the document itself is in English */
export function inPlainLanguage(document: PlanDocument, language: string | undefined): PlanDocument {
  const preferred: Fact[] = language === undefined ? [] : [{ label: 'Preferred language', text: language }];
  return {
    ...document,
    facts: [...plainFacts(document.facts), ...preferred],
    sections: document.sections.map(({ heading, items }) => ({
      heading: HEADINGS[heading] ?? heading,
      items: items.map((item): Item => ({ text: item.text, facts: plainFacts(item.facts) })),
    })),
  };
}

function plainFacts(facts: readonly Fact[]): Fact[] {
  return facts
    .filter(({ label }) => !LEFT_OUT.has(label))
    .map(({ label, text }) => ({
      label: LABELS[label] ?? label,
      text: label === 'Status' || label === 'Stage' ? (WORDS[text.toLowerCase()] ?? text) : text,
    }));
}

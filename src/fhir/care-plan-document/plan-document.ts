// The document of a care plan, or of a goal or task that is in no plan. Pure: the same record makes the same document.
import type { CarePlan, Condition, Reference, Resource } from '@medplum/fhirtypes';
import { activityItem, taskItem } from './activities.ts';
import type { Fact, Item, PlanDocument, Section } from './document.ts';
import { facts } from './facts.ts';
import { goalItem } from './goals.ts';
import { personFacts, teamItems, whoText, whoTexts } from './people.ts';
import { follow, ownWords, type PlanRecord } from './record.ts';
import { clean, codeText, conceptText, conceptTexts, dateText, noteText, periodText } from './words.ts';

export function planDocument(record: PlanRecord): PlanDocument {
  const { focus } = record;
  const subject = focus.resourceType === 'Task' ? focus.for : focus.subject;
  const person = personFacts(record, subject);
  const used = [focus, ...record.resources.values()];
  const stamps = used.flatMap(({ meta }) => meta?.lastUpdated ?? []);
  const { title, own, sections } = contentOf(record);
  return {
    title,
    person: person
      .slice(0, 2)
      .map(({ label, text }) => (label === 'Patient' ? text : `${label.toLowerCase()} ${text}`))
      .join(', '),
    isComplete: record.isComplete,
    facts: [...person, ...own],
    sections: sections.filter(({ items }) => items.length > 0),
    produced: newest(stamps),
    sources: used
      .map(({ resourceType, id, meta }) => `${resourceType}/${id} version ${meta?.versionId ?? 'unknown'}`)
      .filter((text, index, all) => all.indexOf(text) === index)
      .sort(),
  };
}

interface Content {
  readonly title: string;
  readonly own: Fact[];
  readonly sections: Section[];
}

function contentOf(record: PlanRecord): Content {
  const { focus } = record;
  switch (focus.resourceType) {
    case 'CarePlan':
      return planContent(record, focus);
    case 'Goal': {
      const item = goalItem(record, focus);
      return { title: `Goal: ${item.text}`, own: [], sections: [{ heading: 'Goal', items: [item] }] };
    }
    case 'Task': {
      const item = taskItem(record, focus);
      return { title: `Task: ${item.text}`, own: [], sections: [{ heading: 'Task', items: [item] }] };
    }
  }
}

function planContent(record: PlanRecord, plan: CarePlan): Content {
  const title = clean(plan.title);
  const goals = (plan.goal ?? []).flatMap((reference): Item[] => {
    const goal = follow(record, reference);
    return goal?.resourceType === 'Goal' ? [goalItem(record, goal)] : wordsOnly(reference);
  });
  return {
    title: title === '' ? 'Care plan' : `Care plan: ${title}`,
    own: facts({
      Status: codeText(plan.status),
      Intent: codeText(plan.intent),
      Period: periodText(plan.period),
      Category: conceptTexts(plan.category),
      Description: clean(plan.description),
      Author: whoText(record, plan.author),
      Contributors: whoTexts(record, plan.contributor),
    }),
    sections: [
      { heading: 'Problems and concerns', items: (plan.addresses ?? []).flatMap((one) => problemItem(record, one)) },
      { heading: 'Goals', items: goals },
      { heading: 'Activities', items: (plan.activity ?? []).flatMap((one) => activityItem(record, one) ?? []) },
      { heading: 'Care team', items: teamItems(record, plan.careTeam) },
      { heading: 'Notes', items: (plan.note ?? []).map((note) => ({ text: noteText(note), facts: [] })) },
    ],
  };
}

function problemItem(record: PlanRecord, reference: Reference): Item[] {
  const condition: Resource | undefined = follow(record, reference);
  if (condition?.resourceType !== 'Condition') return wordsOnly(reference);
  return [
    {
      text: conceptText(condition.code) || 'Condition',
      facts: facts({
        Status: conceptText(condition.clinicalStatus),
        Certainty: conceptText(condition.verificationStatus),
        Severity: conceptText(condition.severity),
        Since: onsetText(condition),
      }),
    },
  ];
}

function onsetText({ onsetDateTime, onsetPeriod, onsetString }: Condition): string {
  return dateText(onsetDateTime) || periodText(onsetPeriod) || clean(onsetString);
}

function wordsOnly(reference: Reference): Item[] {
  const text = ownWords(reference);
  return text === '' ? [] : [{ text, facts: [] }];
}

/** Of FHIR instants, which may be written with any offset. */
function newest(instants: readonly string[]): string {
  const [first = Temporal.Instant.fromEpochMilliseconds(0), ...rest] = instants.map((text) =>
    Temporal.Instant.from(text),
  );
  const last = rest.reduce((a, b) => (Temporal.Instant.compare(a, b) < 0 ? b : a), first);
  return last.toString({ smallestUnit: 'millisecond' });
}

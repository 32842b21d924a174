// Goals with their targets and how far they are. https://hl7.org/fhir/R4/goal.html
import type { Goal, GoalTarget } from '@medplum/fhirtypes';
import type { Fact, Item } from './document.ts';
import { facts } from './facts.ts';
import { whoText } from './people.ts';
import type { PlanRecord } from './record.ts';
import { clean, codeText, conceptText, dateText, noteText, quantityText } from './words.ts';

export function goalItem(record: PlanRecord, goal: Goal): Item {
  return {
    text: conceptText(goal.description),
    facts: [
      ...facts({
        Status: codeText(goal.lifecycleStatus),
        Achievement: conceptText(goal.achievementStatus),
        Priority: conceptText(goal.priority),
        Start: dateText(goal.startDate) || conceptText(goal.startCodeableConcept),
        'Wanted by': whoText(record, goal.expressedBy),
      }),
      ...(goal.target ?? []).flatMap(targetFacts),
      ...(goal.note ?? []).map((note): Fact => ({ label: 'Note', text: noteText(note) })),
    ],
  };
}

function targetFacts(target: GoalTarget): Fact[] {
  const measured = [conceptText(target.measure), detailText(target)].filter((text) => text !== '').join(' ');
  const length = target.dueDuration ? `within ${quantityText(target.dueDuration)}` : '';
  return facts({ Target: measured, Due: dateText(target.dueDate) || length });
}

function detailText(target: GoalTarget): string {
  const { detailRange: range, detailRatio: ratio } = target;
  if (range) {
    const [low, high] = [quantityText(range.low), quantityText(range.high)];
    if (low !== '' && high !== '') return `${low} to ${high}`;
    return low === '' ? `at most ${high}` : `at least ${low}`;
  }
  if (ratio) return `${quantityText(ratio.numerator)} / ${quantityText(ratio.denominator)}`;
  if (target.detailBoolean !== undefined) return target.detailBoolean ? 'yes' : 'no';
  const exact = quantityText(target.detailQuantity) || conceptText(target.detailCodeableConcept);
  return exact || clean(target.detailString ?? target.detailInteger?.toString());
}

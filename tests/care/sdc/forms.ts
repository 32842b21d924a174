// The forms that Baton brings along, opened, and responses to them for tests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Questionnaire, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { calculate } from '../../../src/care/sdc/calculate.ts';
import type { Surroundings } from '../../../src/care/sdc/evaluate.ts';
import { type Form, openForm } from '../../../src/care/sdc/form.ts';

export const NOW: Surroundings = { now: Temporal.Instant.from('2026-11-28T15:00:00Z'), zone: 'America/New_York' };

export function questionnaire(id: string): Questionnaire {
  const path = join(import.meta.dirname, '../../../profiles/questionnaires', `${id}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

export const form = (id: string): Form => openForm(questionnaire(id));

/** A response whose questions `prefix1`, `prefix2`… have the options with these numbers. */
export function chosen(to: Form, prefix: string, options: readonly number[]): QuestionnaireResponse {
  const item = options.map((option, index): QuestionnaireResponseItem => {
    const linkId = `${prefix}${index + 1}`;
    const offered = to.find(linkId)?.definition.answerOption ?? [];
    const { extension: _, ...valueCoding } = offered[option]?.valueCoding ?? {};
    return { linkId, answer: [{ valueCoding }] };
  });
  return response(to, item);
}

export function response(to: Form, item: QuestionnaireResponseItem[]): QuestionnaireResponse {
  return {
    resourceType: 'QuestionnaireResponse',
    id: 'qr1',
    questionnaire: `${to.questionnaire.url}|${to.questionnaire.version}`,
    status: 'completed',
    subject: { reference: 'Patient/1' },
    author: { reference: 'Practitioner/1' },
    authored: '2026-11-28T10:00:00-05:00',
    item,
  };
}

/** The response with its scores. */
export function scored(to: Form, given: QuestionnaireResponse, surroundings = NOW): QuestionnaireResponse {
  const { response: made, problems } = calculate(to, given, surroundings);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return made;
}

export function answer(of: QuestionnaireResponse, linkId: string): unknown {
  const find = (items: readonly QuestionnaireResponseItem[] = []): QuestionnaireResponseItem | undefined => {
    for (const item of items) {
      const inside = [...(item.item ?? []), ...(item.answer ?? []).flatMap((one) => one.item ?? [])];
      const found = item.linkId === linkId ? item : find(inside);
      if (found) return found;
    }
    return undefined;
  };
  const [first] = find(of.item)?.answer ?? [];
  return first && Object.values(first)[0];
}

// A form with the answers so far, as a tree that an application draws without knowing FHIR.
import type { QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { valueIn } from '../sdc/answer-value.ts';
import { isCalculated } from '../sdc/calculate.ts';
import { plainCoding, unitOf } from '../sdc/coerce.ts';
import { enabledIn } from '../sdc/enablement.ts';
import { openSession, type Surroundings } from '../sdc/evaluate.ts';
import { EXT, extensionOf, isHidden, weightIn } from '../sdc/extensions.ts';
import { type Form, isGroup } from '../sdc/form.ts';
import type { Place } from '../sdc/places.ts';
import type { FormNode } from './assessment-schema.ts';

/**
 * Hidden items are for the form itself, and are left out.
 * @throws Fault unprocessable when the form's expressions take too long
 */
export function formView(form: Form, response: QuestionnaireResponse, surroundings: Surroundings): FormNode[] {
  return withinTime(() => treeOf(form, response, surroundings));
}

function treeOf(form: Form, response: QuestionnaireResponse, surroundings: Surroundings): FormNode[] {
  const session = openSession(form, response, surroundings);
  const isEnabled = enabledIn(session);

  function node(place: Place): FormNode[] {
    if (isHidden(place.item.definition)) return [];
    const made = { ...describe(place.item.definition, isCalculated(place.item)), enabled: isEnabled(place) };
    const inside = place.children.flatMap(node);
    if (isGroup(place.item)) return [{ ...made, items: inside }];
    const answers = place.given?.answer ?? [];
    if (answers.length === 0) return [{ ...made, ...(inside.length > 0 ? { items: inside } : {}) }];
    // The places below a question come answer by answer, as many for each.
    const each = place.children.filter(({ item }) => !isHidden(item.definition));
    const values = answers.map((answer, index) => {
      const items = each.filter(({ container }) => container === answers[index]).flatMap(node);
      return { value: plainValue(answer), ...(items.length > 0 ? { items } : {}) };
    });
    return [{ ...made, values }];
  }

  return session.places.flatMap(node);
}

/** A response whose form is not here shows what it says of itself. */
export function bareView(items: readonly QuestionnaireResponseItem[] = []): FormNode[] {
  return items.map(({ linkId = '', text, answer, item }): FormNode => {
    const values = answer?.map((one) => {
      const inside = bareView(one.item);
      return { value: plainValue(one), ...(inside.length > 0 ? { items: inside } : {}) };
    });
    const first = answer?.[0] && valueIn(answer[0])?.key.slice('value'.length);
    return {
      linkId,
      type: values ? (first ?? 'string').toLowerCase() : 'group',
      ...(text ? { text } : {}),
      enabled: true,
      readOnly: true,
      ...(values ? { values } : {}),
      ...(item ? { items: bareView(item) } : {}),
    };
  });
}

/** The value alone; what FHIR adds to a coding (points, extensions) is not the answer's. */
export function plainValue(answer: object): unknown {
  const found = valueIn(answer);
  return found?.key === 'valueCoding' ? plainCoding(found.value as object) : (found?.value ?? null);
}

function describe(item: QuestionnaireItem, calculated: boolean): Omit<FormNode, 'enabled'> {
  const { linkId = '', type = 'display', text, prefix, required, repeats, readOnly, maxLength, answerValueSet } = item;
  const edge = (url: string) => {
    const extension = extensionOf(item, url);
    return extension && valueIn(extension)?.value;
  };
  const [least, most, { unit }] = [edge(EXT.minValue), edge(EXT.maxValue), unitOf(item)];
  return {
    linkId,
    type,
    ...(text ? { text } : {}),
    ...(prefix ? { prefix } : {}),
    ...(required ? { required } : {}),
    ...(repeats ? { repeats } : {}),
    ...(readOnly || calculated ? { readOnly: true } : {}),
    ...(calculated ? { calculated } : {}),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(least === undefined ? {} : { least }),
    ...(most === undefined ? {} : { most }),
    ...(unit === undefined ? {} : { unit }),
    ...(answerValueSet ? { valueSet: answerValueSet } : {}),
    ...(item.answerOption ? { options: item.answerOption.map(optionView) } : {}),
  };
}

function optionView(option: NonNullable<QuestionnaireItem['answerOption']>[number]) {
  const points = weightIn(option) ?? weightIn(option.valueCoding);
  const alone = extensionOf(option, EXT.optionExclusive)?.valueBoolean;
  return { value: plainValue(option), ...(points === undefined ? {} : { points }), ...(alone ? { alone } : {}) };
}

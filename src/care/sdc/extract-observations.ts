// Answers as Observations: each question whose code the form marks for it.
// https://hl7.org/fhir/uv/sdc/extraction.html#obs-extract
import type {
  CodeableConcept,
  Coding,
  Observation,
  Patient,
  Practitioner,
  QuestionnaireResponse,
  QuestionnaireResponseItemAnswer,
  Reference,
} from '@medplum/fhirtypes';
import { valueIn } from './answer-value.ts';
import { unitOf } from './coerce.ts';
import type { Session } from './evaluate.ts';
import { EXT, extensionOf, extensionsOf } from './extensions.ts';
import { type FormItem, isGroup, isQuestion } from './form.ts';
import { answersOf, type Place } from './places.ts';

/** A resource that is extracted, with the key that tells it apart from the others of the same response. */
export interface Extracted<T> {
  readonly resource: T;
  /** `PATH#NUMBER`: where it comes from; the same again when the response is extracted again. */
  readonly key: string;
}

type Member = Reference<Observation>;
type Marked = { readonly extract: boolean; readonly category: readonly CodeableConcept[] };

const PERFORMERS = /^(Practitioner|PractitionerRole|Organization|CareTeam|Patient|RelatedPerson)\//;

const SURVEY: CodeableConcept = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey', display: 'Survey' }],
};

/** @param urn fullUrl that a key will have */
export function extractObservations(
  session: Session,
  isEnabled: (place: Place) => boolean,
  urn: (key: string) => string,
): Extracted<Observation>[] {
  const { response, form } = session;
  const found: Extracted<Observation>[] = [];
  const counts = new Map<string, number>();

  function add(item: FormItem, observation: Observation): Member {
    const number = (counts.get(item.path) ?? 0) + 1;
    counts.set(item.path, number);
    const key = `${item.path}#${number}`;
    found.push({ resource: observation, key });
    return { reference: urn(key) };
  }

  /** @returns the observations made here, for the panel they are in */
  function visit(place: Place, outer: Marked): Member[] {
    if (!isEnabled(place)) return [];
    const marked = markOf(place.item.definition, outer);
    const code = codeOf(place.item, marked.extract);
    const inside = () => place.children.flatMap((child) => visit(child, marked));
    if (isGroup(place.item)) {
      const members = inside();
      if (!code || members.length === 0) return members;
      const panel = { ...describe(response, code, marked.category), hasMember: members };
      return [add(place.item, panel)];
    }
    const made =
      code && isQuestion(place.item)
        ? answersOf(place).flatMap((answer) => {
            const value = observedValue(answer, place.item);
            const observation = value && { ...describe(response, code, marked.category), ...value };
            return observation ? [add(place.item, observation)] : [];
          })
        : [];
    return [...made, ...inside()];
  }

  const root = markOf(form.questionnaire, { extract: false, category: [SURVEY] });
  for (const place of session.places) visit(place, root);
  return found;
}

function markOf(element: Parameters<typeof extensionOf>[0], outer: Marked): Marked {
  const category = extensionsOf(element, EXT.observationExtractCategory).flatMap(
    (one) => one.valueCodeableConcept ?? [],
  );
  return {
    extract: extensionOf(element, EXT.observationExtract)?.valueBoolean ?? outer.extract,
    category: category.length > 0 ? category : outer.category,
  };
}

/** Codes that are marked themselves stand alone; a question without a code has nothing to be an observation of. */
function codeOf({ definition }: FormItem, extract: boolean): CodeableConcept | undefined {
  const codes = definition.code ?? [];
  const own = codes.filter((code) => extensionOf(code, EXT.observationExtract)?.valueBoolean === true);
  const chosen = own.length > 0 ? own : extract ? codes : [];
  if (chosen.length === 0) return undefined;
  const coding = chosen.map(({ extension: _, ...code }): Coding => code);
  return { coding, ...(definition.text ? { text: definition.text } : {}) };
}

function describe(
  response: QuestionnaireResponse,
  code: CodeableConcept,
  category: readonly CodeableConcept[],
): Observation {
  const { author, authored, encounter, subject, id, status } = response;
  return {
    resourceType: 'Observation',
    status: status === 'amended' ? 'amended' : 'final',
    category: [...category],
    code,
    ...(subject ? { subject: subject as Reference<Patient> } : {}),
    ...(encounter ? { encounter } : {}),
    ...(authored ? { effectiveDateTime: authored } : {}),
    ...(authored && authored.length > 10 ? { issued: authored } : {}),
    ...(author?.reference && PERFORMERS.test(author.reference)
      ? { performer: [author as Reference<Practitioner>] }
      : {}),
    ...(id ? { derivedFrom: [{ reference: `QuestionnaireResponse/${id}` }] } : {}),
  };
}

function observedValue(answer: QuestionnaireResponseItemAnswer, item: FormItem): Partial<Observation> | undefined {
  const found = valueIn(answer);
  if (!found) return undefined;
  const { key, value } = found;
  switch (key) {
    case 'valueCoding': {
      const { display } = value as Coding;
      return { valueCodeableConcept: { coding: [value as Coding], ...(display ? { text: display } : {}) } };
    }
    case 'valueDecimal':
      return { valueQuantity: { value: value as number, ...unitOf(item.definition) } };
    case 'valueDate':
      return { valueDateTime: value as string };
    case 'valueUri':
      return { valueString: value as string };
    case 'valueBoolean':
    case 'valueInteger':
    case 'valueString':
    case 'valueDateTime':
    case 'valueTime':
    case 'valueQuantity':
      return { [key]: value };
    default:
      // R4 Observations take no references and no files as their value.
      return undefined;
  }
}

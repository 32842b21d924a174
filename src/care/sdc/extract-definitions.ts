// Answers as elements of resources that the form defines: where a resource begins, which question is which element, and
// what is fixed or worked out. https://hl7.org/fhir/uv/sdc/extraction.html#definition-extract
import type { Extension, Resource } from '@medplum/fhirtypes';
import { isType } from '../../fhir/fhirpath/type-model.ts';
import type { Collection, TypedValue } from '../../fhir/fhirpath/typed-value.ts';
import { typedAnswer, typeOfKey, valueIn } from './answer-value.ts';
import type { Problem, Session } from './evaluate.ts';
import { EXT, extensionOf, extensionsOf } from './extensions.ts';
import type { Extracted } from './extract-observations.ts';
import { isGroup } from './form.ts';
import { answersOf, type Place } from './places.ts';
import { type Begun, beginElement, putElement } from './put-element.ts';

export interface ExtractedByDefinition extends Extracted<Resource> {
  readonly fullUrl?: string;
  readonly ifNoneExist?: string;
  readonly ifMatch?: string;
}

type Variables = Readonly<Record<string, unknown>>;

/** A resource in the making, and where its repeating elements have been begun. */
interface Draft {
  /** Canonical that `definition`s must begin with. */
  readonly definition: string;
  readonly type: string;
  readonly resource: Record<string, unknown>;
  readonly begun: Begun;
}

/** @param urn fullUrl that a key will have, also for ids that the form allocates */
export function extractByDefinition(
  session: Session,
  isEnabled: (place: Place) => boolean,
  urn: (key: string) => string,
  problems: Problem[],
): ExtractedByDefinition[] {
  const found: ExtractedByDefinition[] = [];
  const counts = new Map<string, number>();

  function visit(place: Place, outer: readonly Draft[], ids: Variables): void {
    if (!isEnabled(place)) return;
    const { definition } = place.item;
    const known = { ...ids, ...allocated(definition, place) };
    const isThere = place.given !== undefined && (isGroup(place.item) || answersOf(place).length > 0);
    const begun = isThere ? begin(definition, place, known) : [];
    const drafts = [
      ...begun,
      ...(beginsAnew(place) ? outer.map((draft) => ({ ...draft, begun: new Map(draft.begun) })) : outer),
    ];
    if (isThere) {
      putFixed(definition, place, drafts, known);
      putAnswers(place, drafts);
    }
    for (const child of place.children) visit(child, drafts, known);
  }

  function allocated(element: Parameters<typeof extensionsOf>[0], place: Place | undefined): Variables {
    const names = extensionsOf(element, EXT.allocateId).flatMap(({ valueString }) => valueString ?? []);
    return Object.fromEntries(
      names.map((name) => [name, urn(`id ${place?.item.path ?? ''} ${name} ${numberOf(place)}`)]),
    );
  }

  function numberOf(place: Place | undefined): number {
    const siblings = place?.container?.item ?? [];
    return place?.given ? siblings.filter(({ linkId }) => linkId === place.item.linkId).indexOf(place.given) : 0;
  }

  /** One resource for each mark at the item. */
  function begin(element: Parameters<typeof extensionsOf>[0], place: Place | undefined, ids: Variables): Draft[] {
    return marksOf(element).map((mark) => {
      const draft = { ...mark, resource: { resourceType: mark.type } as Record<string, unknown>, begun: new Map() };
      if (!mark.definition.startsWith('http://hl7.org/fhir/StructureDefinition/')) {
        draft.resource.meta = { profile: [mark.definition] };
      }
      const where = place?.item.path ?? '';
      const number = (counts.get(where) ?? 0) + 1;
      counts.set(where, number);
      const of = (name: string) => textOf(mark.extension, name, place, ids);
      const [fullUrl, ifNoneExist, ifMatch] = [of('fullUrl'), of('ifNoneExist'), of('ifMatch')];
      found.push({
        resource: draft.resource as unknown as Resource,
        key: `${where}@${number}`,
        ...(fullUrl ? { fullUrl } : {}),
        ...(ifNoneExist ? { ifNoneExist } : {}),
        ...(ifMatch ? { ifMatch } : {}),
      });
      return draft;
    });
  }

  function textOf(extension: Extension | undefined, name: string, place: Place | undefined, ids: Variables) {
    const text = extension?.extension?.find(({ url }) => url === name)?.valueString;
    if (text === undefined) return undefined;
    const [value] = session.ask({ language: 'text/fhirpath', expression: text }, place, ids);
    return typeof value?.value === 'string' ? value.value : undefined;
  }

  function putFixed(
    element: Parameters<typeof extensionsOf>[0],
    place: Place | undefined,
    drafts: readonly Draft[],
    ids: Variables,
  ): void {
    for (const { extension = [] } of extensionsOf(element, EXT.definitionExtractValue)) {
      const target = extension.find(({ url }) => url === 'definition')?.valueUri;
      const fixed = extension.find(({ url }) => url === 'fixed-value');
      const expression = extension.find(({ url }) => url === 'expression')?.valueExpression;
      const values: Collection = expression ? session.ask(expression, place, ids) : fixedValue(fixed);
      for (const value of values) put(target, value, drafts, place);
    }
  }

  function putAnswers(place: Place, drafts: readonly Draft[]): void {
    const target = place.item.definition.definition;
    if (target === undefined) return;
    if (isGroup(place.item)) {
      const at = targetIn(target, drafts);
      if (at) beginElement(at.draft.resource, at.draft.type, at.path, at.draft.begun);
      return;
    }
    for (const answer of answersOf(place)) {
      const value = typedAnswer(answer);
      if (value) put(target, value, drafts, place);
    }
  }

  function put(target: string | undefined, value: TypedValue, drafts: readonly Draft[], place: Place | undefined) {
    const at = targetIn(target, drafts);
    // A definition may describe a question without any resource being made of it.
    if (!at) return;
    if (putElement(at.draft.resource, at.draft.type, at.path, value, at.draft.begun)) return;
    problems.push({
      path: place?.item.path ?? '',
      text: `${at.path.join('.')} of ${at.draft.type} cannot take this value.`,
    });
  }

  const { questionnaire } = session.form;
  const ids = allocated(questionnaire, undefined);
  const drafts = begin(questionnaire, undefined, ids);
  putFixed(questionnaire, undefined, drafts, ids);
  for (const place of session.places) visit(place, drafts, ids);
  return found;
}

/** What a group stands for, or repeats, is not what the item before it was about. */
function beginsAnew({ item }: Place): boolean {
  return isGroup(item) && (item.definition.repeats === true || item.definition.definition !== undefined);
}

function targetIn(target: string | undefined, drafts: readonly Draft[]) {
  const [canonical = '', path = ''] = (target ?? '').split('#');
  const [type, ...steps] = path.split('.');
  const draft =
    drafts.find((one) => one.definition === canonical && one.type === type?.split(':')[0]) ??
    drafts.find((one) => one.type === type && canonical === `http://hl7.org/fhir/StructureDefinition/${one.type}`);
  return draft && steps.length > 0 ? { draft, path: steps } : undefined;
}

interface Mark {
  readonly definition: string;
  readonly type: string;
  readonly extension?: Extension;
}

/** Where resources begin: SDC's mark, and the older one that only names a type. */
function marksOf(element: Parameters<typeof extensionsOf>[0]): Mark[] {
  const marks = extensionsOf(element, EXT.definitionExtract).flatMap((extension): Mark[] => {
    const part = extension.extension?.find(({ url }) => url === 'definition');
    const definition = (part?.valueCanonical ?? part?.valueUri ?? '').split('|')[0] ?? '';
    const type = typeIn(definition);
    return type === undefined ? [] : [{ definition, type, extension }];
  });
  const older = extensionOf(element, EXT.itemExtractionContext);
  const named = older?.valueCode ?? older?.valueExpression?.expression?.split(/[?/]/)[0];
  if (named !== undefined && isType(named)) {
    marks.push({ definition: `http://hl7.org/fhir/StructureDefinition/${named}`, type: named });
  }
  return marks;
}

const PROFILED: Readonly<Record<string, string>> = { condition: 'Condition', goal: 'Goal', observation: 'Observation' };

/** The resource type that a profile is on, told from its name: `…/Condition`, `…/SDOHCC-Condition`, `…/us-core-goal`. */
function typeIn(definition: string): string | undefined {
  const name = definition.slice(definition.lastIndexOf('/') + 1);
  if (isType(name)) return name;
  const word = name.split(/[-_]/).find((part) => isType(part) || Object.hasOwn(PROFILED, part.toLowerCase()));
  return word && (PROFILED[word.toLowerCase()] ?? word);
}

function fixedValue(fixed: Extension | undefined): Collection {
  const found = fixed && valueIn(fixed);
  return found ? [{ type: typeOfKey(found.key), value: found.value }] : [];
}

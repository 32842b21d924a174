// Which kind of need a Condition is, by its categories.
import type { CodeableConcept, Condition } from '@medplum/fhirtypes';
import { concept, hasCode } from '../concept.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { NeedInput } from './need-schema.ts';
import { GRAVITY_CODES, SOCIAL_NEEDS, type SocialNeed } from './social-needs.ts';

export const BASE_CATEGORY = 'http://terminology.hl7.org/CodeSystem/condition-category';
const CONCERN = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category';
const US_CORE_CATEGORY = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category';

type Kind = NeedInput['kind'];

export function categoriesOf(kind: Kind, category: SocialNeed | undefined): CodeableConcept[] {
  return [
    concept(CONCERN, 'health-concern', 'Health Concern'),
    ...(kind === 'barrier' ? [concept(CODE_SYSTEM.needKind, 'barrier', 'Barrier')] : []),
    ...(category
      ? [concept(US_CORE_CATEGORY, 'sdoh', 'SDOH'), { coding: [{ system: GRAVITY_CODES, code: category }] }]
      : []),
  ];
}

/** The categories for another kind; those that have nothing to do with the kind stay. */
export function recategorized(
  there: readonly CodeableConcept[] | undefined,
  kind: string,
  category: SocialNeed | undefined,
): CodeableConcept[] {
  const wanted = categoriesOf(kind as Kind, category).filter((one) => !isConcern(one) || kind !== 'other');
  const kept = (there ?? []).filter((one) => !speaksOfKind(one) || wanted.some((each) => same(each, one)));
  // A problem of a problem list stays one: it need not become a health concern as well.
  const hasBase = kept.some((one) => isConcern(one) || hasSystem(one, BASE_CATEGORY));
  const added = wanted.filter((one) => !(isConcern(one) && hasBase) && !kept.some((each) => same(one, each)));
  return [...kept, ...added];
}

/** `health-concern`, `social-need`, `barrier`; of what came from elsewhere also `problem` and `diagnosis`. */
export function kindOf({ category = [] }: Condition): string {
  const has = (system: string, code: string) => category.some((one) => hasCode(one, system, code));
  if (has(CODE_SYSTEM.needKind, 'barrier')) return 'barrier';
  if (has(US_CORE_CATEGORY, 'sdoh') || socialNeedOf({ category })) return 'social-need';
  if (has(CONCERN, 'health-concern')) return 'health-concern';
  if (has(BASE_CATEGORY, 'problem-list-item')) return 'problem';
  return has(BASE_CATEGORY, 'encounter-diagnosis') ? 'diagnosis' : 'other';
}

export function socialNeedOf({ category = [] }: Pick<Condition, 'category'>): SocialNeed | undefined {
  const codings = category.flatMap(({ coding }) => coding ?? []);
  const code = codings.find(({ system }) => system === GRAVITY_CODES)?.code;
  return SOCIAL_NEEDS.find((one) => one === code);
}

const isConcern = (one: CodeableConcept) => hasCode(one, CONCERN, 'health-concern');
const hasSystem = (one: CodeableConcept, system: string) =>
  one.coding?.some((coding) => coding.system === system) ?? false;

function speaksOfKind(one: CodeableConcept): boolean {
  return (
    hasCode(one, CODE_SYSTEM.needKind, 'barrier') ||
    hasCode(one, US_CORE_CATEGORY, 'sdoh') ||
    hasSystem(one, GRAVITY_CODES)
  );
}

function same(one: CodeableConcept, other: CodeableConcept): boolean {
  const { system = '', code = '' } = one.coding?.[0] ?? {};
  return hasCode(other, system, code);
}

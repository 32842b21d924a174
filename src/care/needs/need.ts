// A need or barrier as a Condition, and back. https://hl7.org/fhir/R4/condition.html
import type { Condition } from '@medplum/fhirtypes';
import { parseLiteral } from '../../fhir/references.ts';
import type { CaseAtHand } from '../case-at-hand.ts';
import { codedOf, conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { linkedOf } from '../linked.ts';
import { toFhirDateTime } from '../local-time.ts';
import { notesOf, withNote } from '../note.ts';
import { CLAIMS, GRAVITY_CLAIMS } from '../plans/claims.ts';
import type { Caller, Kept } from '../records.ts';
import { categoriesOf, kindOf, recategorized, socialNeedOf } from './need-categories.ts';
import { type NeedInput, type NeedRevision, type NeedView, SEVERITIES } from './need-schema.ts';

export const CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
export const VERIFICATION = 'http://terminology.hl7.org/CodeSystem/condition-ver-status';
const SNOMED = 'http://snomed.info/sct';
/** Of US Core's condition codes, which Gravity demands. */
const CONDITION_CODES = new Set([SNOMED, 'http://hl7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-9-cm']);
const RECORDERS = new Set(['Practitioner', 'PractitionerRole']);

export function needOf(input: NeedInput, { subject }: Pick<CaseAtHand, 'subject'>, caller: Caller): Condition {
  const { kind, category, code, severity, onset, verification = 'confirmed', statedBy, evidence, note } = input;
  const recorder = RECORDERS.has(parseLiteral(caller.who.reference ?? '')?.type ?? '') ? caller.who : undefined;
  return claimed({
    resourceType: 'Condition',
    meta: { profile: [...CLAIMS.need] },
    clinicalStatus: { coding: [{ system: CLINICAL, code: 'active' }] },
    verificationStatus: { coding: [{ system: VERIFICATION, code: verification }] },
    category: categoriesOf(kind, category),
    ...(severity ? { severity: severityOf(severity) } : {}),
    code: conceptOf(code),
    subject,
    ...(onset ? { onsetDateTime: onset } : {}),
    recordedDate: toFhirDateTime(caller.now, caller.zone),
    ...(recorder ? { recorder: recorder as Condition['recorder'] } : {}),
    ...(statedBy ? { asserter: statedBy as Condition['asserter'] } : {}),
    ...(evidence ? { evidence: evidence.map((detail) => ({ detail: [detail] })) } : {}),
    ...withNote(undefined, caller, note),
  } as Condition);
}

/** Claims Gravity's profile exactly when it meets it; a need from elsewhere claims what it came with. */
function claimed(need: Condition): Condition {
  const profile = need.meta?.profile ?? [];
  if (!profile.includes(CLAIMS.need[0])) return need;
  const others = profile.filter((one) => one !== GRAVITY_CLAIMS.need);
  const isCoded = need.code?.coding?.some(({ system }) => CONDITION_CODES.has(system ?? '')) ?? false;
  const isGravity = isCoded && socialNeedOf(need) !== undefined;
  return { ...need, meta: { ...need.meta, profile: [...others, ...(isGravity ? [GRAVITY_CLAIMS.need] : [])] } };
}

/** The need with what is to change, and everything else as it was. */
export function revisedNeed(need: Condition, revision: NeedRevision, caller: Caller): Condition {
  const { kind, category, code, severity, onset, verification, evidence, note } = revision;
  const revised = { ...need };
  if (kind !== undefined || category !== undefined) {
    const social = category === undefined ? socialNeedOf(need) : (category ?? undefined);
    revised.category = recategorized(need.category, kind ?? kindOf(need), social);
  }
  if (code) revised.code = conceptOf(code);
  if (severity !== undefined) delete revised.severity;
  if (severity) revised.severity = severityOf(severity);
  if (onset !== undefined) for (const type of ONSETS) delete revised[type];
  if (onset) revised.onsetDateTime = onset;
  if (verification) revised.verificationStatus = { coding: [{ system: VERIFICATION, code: verification }] };
  const known = new Set(need.evidence?.flatMap(({ detail }) => detail?.map(({ reference }) => reference) ?? []));
  const added = (evidence ?? []).filter(({ reference }) => !known.has(reference));
  if (added.length > 0) revised.evidence = [...(need.evidence ?? []), ...added.map((detail) => ({ detail: [detail] }))];
  return claimed({ ...revised, ...withNote(need.note, caller, note) } as Condition);
}

const ONSETS = ['onsetDateTime', 'onsetPeriod', 'onsetAge', 'onsetRange', 'onsetString'] as const;

/** @param plan reference of the case's plan, when it addresses the need */
export function viewNeed(need: Kept<'Condition'>, plan?: string): NeedView {
  const code = codedOf(need.code);
  const category = socialNeedOf(need);
  const [status, verification] = [need.clinicalStatus, need.verificationStatus].map((one) => one?.coding?.[0]?.code);
  const severity = severityWord(need);
  const onset = need.onsetDateTime ?? need.onsetPeriod?.start ?? need.onsetString ?? ageWords(need);
  const abatement = need.abatementDateTime ?? need.abatementPeriod?.end ?? need.abatementString;
  const [recordedBy, statedBy] = [linkedOf(need.recorder), linkedOf(need.asserter)];
  return {
    id: need.id,
    version: need.meta.versionId,
    kind: kindOf(need),
    ...(category ? { category } : {}),
    ...(code ? { code } : {}),
    ...(status ? { status } : {}),
    ...(verification ? { verification } : {}),
    ...(severity ? { severity } : {}),
    ...(onset ? { onset } : {}),
    ...(abatement ? { abatement } : {}),
    ...(need.recordedDate ? { recorded: need.recordedDate } : {}),
    ...(recordedBy ? { recordedBy } : {}),
    ...(statedBy ? { statedBy } : {}),
    evidence: (need.evidence ?? []).flatMap(({ detail }) => (detail ?? []).flatMap((one) => linkedOf(one) ?? [])),
    notes: notesOf(need.note),
    ...(plan ? { plan: { reference: plan } } : {}),
    ...(need.meta.source ? { origin: need.meta.source } : {}),
  };
}

function severityOf(severity: keyof typeof SEVERITIES) {
  return concept(
    SNOMED,
    SEVERITIES[severity],
    severity.replace(/^./, (first) => first.toUpperCase()),
  );
}

function severityWord({ severity }: Condition): string | undefined {
  const code = severity?.coding?.find(({ system }) => system === SNOMED)?.code;
  const known = Object.entries(SEVERITIES).find(([, one]) => one === code)?.[0];
  return known ?? codedOf(severity)?.text ?? codedOf(severity)?.code;
}

function ageWords({ onsetAge }: Condition): string | undefined {
  return onsetAge?.value === undefined ? undefined : `at age ${onsetAge.value} ${onsetAge.unit ?? ''}`.trim();
}

// The plan of a case as a document: FHIR, and in words for the patient.
import type { Patient, Resource } from '@medplum/fhirtypes';
import type { PlanDocument } from '../../fhir/care-plan-document/document.ts';
import { inPlainLanguage } from '../../fhir/care-plan-document/plain-language.ts';
import { planDocument } from '../../fhir/care-plan-document/plan-document.ts';
import { conceptText } from '../../fhir/care-plan-document/words.ts';
import { planOfCase, readCase } from '../cases/find-cases.ts';
import type { Caller, Kept, PagedRecords } from '../records.ts';
import { idOf } from '../stored.ts';
import { IDENTIFIER } from '../systems.ts';
import { type DocumentBundle, documentBundle } from './document-bundle.ts';
import type { DocumentView } from './document-schema.ts';
import type { Exchange } from './exchange.ts';
import { type Gathered, gather } from './gather.ts';

export interface PlanAsDocument {
  readonly bundle: DocumentBundle;
  readonly readable: PlanDocument;
  readonly gathered: Gathered;
}

/** Undefined when there is no such case, or its plan or patient may not be read. */
export async function documentOfCase(
  records: PagedRecords,
  caller: Caller,
  exchange: Exchange,
  id: string,
): Promise<DocumentView | undefined> {
  const episode = await readCase(records, id);
  const plan = episode && (await planOfCase(records, id));
  const made = plan && (await documentOfPlan(records, caller, exchange, plan));
  if (!made) return undefined;
  const { bundle, readable, gathered } = made;
  const { title, facts, sections, isComplete, produced } = readable;
  const language = languageOf(gathered.patient);
  return {
    identifier: bundle.identifier.value,
    produced,
    ...(language === undefined ? {} : { language }),
    isComplete,
    withheld: gathered.sections.filter(isWithheld).map((section) => section.title),
    title,
    facts: [...facts],
    sections: sections.map(({ heading, items }) => ({
      heading,
      items: items.map(({ text, facts: own }) => ({ text, facts: [...own] })),
    })),
    document: bundle as object as DocumentView['document'],
  };
}

/** Of any plan; undefined when its patient may not be read. */
export async function documentOfPlan(
  records: PagedRecords,
  caller: Caller,
  exchange: Exchange,
  plan: Kept<'CarePlan'>,
): Promise<PlanAsDocument | undefined> {
  const patientId = idOf(plan.subject, 'Patient');
  const patient = patientId === undefined ? undefined : await records.read('Patient', patientId);
  if (!patient) return undefined;
  const caseId = plan.identifier?.find(({ system }) => system === IDENTIFIER.casePlan)?.value;
  const episode = caseId === undefined ? undefined : await readCase(records, caseId);
  const gathered = await gather(records, { plan, patient, episode });
  const isComplete = gathered.missing.size === 0 && !gathered.sections.some(({ withheld }) => withheld.length > 0);
  const whole = planDocument({
    focus: plan,
    resources: gathered.resources as unknown as ReadonlyMap<string, Resource>,
    isComplete,
  });
  return {
    bundle: documentBundle(gathered, caller, exchange),
    readable: inPlainLanguage(whole, languageOf(patient)),
    gathered,
  };
}

const isWithheld = ({ entries, withheld }: Gathered['sections'][number]) => entries.length === 0 && withheld.length > 0;

/** In words; undefined when the record does not say. */
function languageOf({ communication = [] }: Patient): string | undefined {
  const chosen = communication.find(({ preferred }) => preferred === true) ?? communication[0];
  const text = conceptText(chosen?.language);
  return text === '' ? undefined : text;
}

// The evidence record as a document of headings and items, for PDF.
import type { Item, PlanDocument } from '../../fhir/care-plan-document/document.ts';
import type { Finding, Reason, TransitionEvidence } from './evidence-schema.ts';

export function evidenceDocument(evidence: TransitionEvidence): PlanDocument {
  const {
    id,
    version,
    patient,
    facility,
    discharged,
    destination,
    zone,
    risks,
    notSeen,
    tcm,
    trc,
    behavioral,
    computed,
  } = evidence;
  const where = facility?.display ?? facility?.reference;
  const code = tcm.code === undefined ? '' : `, CPT ${tcm.code}`;
  return {
    title: 'Transition of care: evidence',
    person: patient.reference ?? '',
    isComplete: notSeen.length === 0,
    facts: [
      { label: 'Transition', text: `EpisodeOfCare/${id}` },
      { label: 'Patient', text: patient.reference ?? '' },
      ...(where === undefined ? [] : [{ label: 'Facility', text: where }]),
      { label: 'Discharged', text: `${discharged} (${zone}), to ${destination}` },
      ...risks.map(({ method, points, band }) => ({
        label: `Risk, ${method}`,
        text: `${points ?? '?'}, ${band ?? '?'}`,
      })),
      { label: 'Transitional care management', text: `${tcm.status}${code}, ${tcm.periodStart} to ${tcm.periodEnd}` },
      { label: 'HEDIS TRC', text: trc.eligible ? 'counted' : 'not counted' },
      { label: 'Rules', text: `TCM ${tcm.rules}, TRC ${trc.rules}` },
    ],
    sections: [
      { heading: 'Transitional care management (CPT 99495, 99496)', items: tcm.findings.map(findingItem) },
      ...reasonSection('Why it cannot be reported', tcm.impossible),
      ...reasonSection('Waits for', tcm.waitingFor),
      ...notChecked(tcm.notChecked),
      { heading: 'Transitions of care (HEDIS TRC)', items: trc.rates.map(findingItem) },
      ...reasonSection('Why it is not counted', trc.excluded),
      ...notChecked(trc.notChecked),
      ...(behavioral
        ? [
            {
              heading: `Follow-up for mental illness (HEDIS ${behavioral.measure})`,
              items: behavioral.rates.map(findingItem),
            },
            ...reasonSection('Why it is not counted', behavioral.excluded),
          ]
        : []),
    ],
    produced: computed,
    sources: [`EpisodeOfCare/${id} version ${version}`],
  };
}

function findingItem({ title, state, due, when, by, because, proof }: Finding): Item {
  const rows: [string, string | undefined][] = [
    ['State', state],
    ['Counts until', due],
    ['When', when],
    ['By', by?.display ?? by?.reference],
    ['Note', because],
    ['Shown by', named(proof)],
  ];
  return { text: title, facts: rows.flatMap(([label, text]) => (text ? [{ label, text }] : [])) };
}

function notChecked(all: readonly string[]): { heading: string; items: Item[] }[] {
  return all.length === 0 ? [] : [{ heading: 'Not checked', items: all.map((text) => ({ text, facts: [] })) }];
}

function reasonSection(heading: string, reasons: readonly Reason[]): { heading: string; items: Item[] }[] {
  if (reasons.length === 0) return [];
  const items = reasons.map(({ text, proof }) => {
    const shown = named(proof);
    return { text, facts: shown === '' ? [] : [{ label: 'Shown by', text: shown }] };
  });
  return [{ heading, items }];
}

const named = (proof: Finding['proof']) => proof.flatMap(({ reference }) => reference ?? []).join(', ');

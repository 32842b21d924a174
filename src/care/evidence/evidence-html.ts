// The evidence record as one page to print: no scripts, styles or links to anywhere, every text escaped.
import { escapeXml } from '../narrative.ts';
import type { BehavioralEvidence, Finding, Reason, TransitionEvidence } from './evidence-schema.ts';

export function evidenceHtml(evidence: TransitionEvidence): string {
  const { id, patient, facility, discharged, destination, zone, risks, notSeen, tcm, trc, behavioral, computed } =
    evidence;
  const title = 'Transition of care: evidence';
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title></head>`,
    '<body><main>',
    `<h1>${title}</h1>`,
    facts([
      ['Transition', `EpisodeOfCare/${id}`],
      ['Patient', patient.reference],
      ['Facility', facility?.display ?? facility?.reference],
      ['Discharged', `${discharged} (${zone}), to ${destination}`],
      ...risks.map(({ method, points, band }): [string, string] => [
        `Risk, ${method}`,
        `${points ?? '?'} points, ${band ?? '?'}`,
      ]),
    ]),
    '<h2>Transitional care management (CPT 99495, 99496)</h2>',
    facts([
      ['Status', tcm.status],
      ['Code', tcm.code],
      ['Date of service', tcm.dateOfService],
      ['Period', `${tcm.periodStart} to ${tcm.periodEnd}`],
    ]),
    reasons('Why it cannot be reported', tcm.impossible),
    reasons('Waits for', tcm.waitingFor),
    findings(tcm.findings),
    notChecked(tcm.notChecked),
    '<h2>Transitions of care (HEDIS TRC)</h2>',
    facts([
      ['Counted', trc.eligible ? 'yes' : 'no'],
      ['Admitted', trc.admitted],
      ['Last discharge', trc.discharged],
    ]),
    reasons('Why it is not counted', trc.excluded),
    findings(trc.rates),
    notChecked(trc.notChecked),
    ...(behavioral ? behavioralPart(behavioral) : []),
    ...(notSeen.length > 0 ? [`<p>Not open to who asks, so not looked at: ${escapeXml(notSeen.join(', '))}.</p>`] : []),
    `<p>Computed ${escapeXml(computed)} from what was stored then. Rules: TCM ${escapeXml(tcm.rules)}, TRC ${escapeXml(trc.rules)}.</p>`,
    '</main></body></html>',
    '',
  ].join('\n');
}

function behavioralPart({ measure, eligible, excluded, rates }: BehavioralEvidence): string[] {
  return [
    `<h2>Follow-up for mental illness (HEDIS ${measure})</h2>`,
    facts([['Counted', eligible ? 'yes' : 'no']]),
    reasons('Why it is not counted', excluded),
    findings(rates),
  ];
}

function facts(rows: readonly (readonly [string, string | undefined])[]): string {
  const lines = rows.flatMap(([label, text]) =>
    text === undefined ? [] : `<tr><th scope="row">${escapeXml(label)}</th><td>${escapeXml(text)}</td></tr>`,
  );
  return `<table><tbody>${lines.join('')}</tbody></table>`;
}

function reasons(heading: string, all: readonly Reason[]): string {
  if (all.length === 0) return '';
  const lines = all.map(({ text, proof }) => `<li>${escapeXml(text)} ${shown(proof)}</li>`);
  return `<h3>${escapeXml(heading)}</h3><ul>${lines.join('')}</ul>`;
}

const notChecked = (all: readonly string[]) =>
  all.length === 0 ? '' : `<p>Not checked: ${escapeXml(all.join('; '))}.</p>`;

function findings(all: readonly Finding[]): string {
  const head = ['What', 'State', 'Counts until', 'When', 'By', 'Shown by'].map(
    (text) => `<th scope="col">${text}</th>`,
  );
  const rows = all.map(({ title, state, due, when, by, because, proof }) => {
    const what = because === undefined ? title : `${title}. ${because}`;
    const cells = [state, due ?? '', when ?? '', by?.display ?? by?.reference ?? ''].map(
      (text) => `<td>${escapeXml(text)}</td>`,
    );
    return `<tr><th scope="row">${escapeXml(what)}</th>${cells.join('')}<td>${shown(proof)}</td></tr>`;
  });
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const shown = (proof: Finding['proof']) => escapeXml(proof.map(({ reference }) => reference ?? '').join(', '));

// A document as one HTML page without scripts, styles or links, so that the strictest policy shows it as it is: headings
// to move by, tables whose cells say what they are, and every text escaped. https://www.w3.org/TR/WCAG22/
import { type Fact, INCOMPLETE, type Item, type PlanDocument, type Section } from './document.ts';
import { dateText } from './words.ts';

/** @param lang of the words around the record's own, as BCP 47 */
export function planHtml(document: PlanDocument, lang: string): string {
  const { title, facts, sections, isComplete, produced } = document;
  return [
    '<!DOCTYPE html>',
    `<html lang="${escaped(lang)}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escaped(title)}</h1>`,
    ...(isComplete ? [] : [`<p role="note"><strong>${escaped(INCOMPLETE)}</strong></p>`]),
    ...factTable('About you and this plan', facts),
    ...sections.flatMap(sectionHtml),
    `<p>As of ${escaped(dateText(produced))}. If anything here is not clear, ask your case manager.</p>`,
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function factTable(caption: string, facts: readonly Fact[]): string[] {
  if (facts.length === 0) return [];
  return [
    '<table>',
    `<caption>${escaped(caption)}</caption>`,
    '<tbody>',
    ...facts.map(({ label, text }) => `<tr><th scope="row">${escaped(label)}</th><td>${escapedWith(text)}</td></tr>`),
    '</tbody>',
    '</table>',
  ];
}

function sectionHtml({ heading, items }: Section): string[] {
  const labels = [...new Set(items.flatMap(({ facts }) => facts.map(({ label }) => label)))];
  if (labels.length === 0) {
    const list = items.map(({ text }) => `<li>${escapedWith(text)}</li>`);
    return [`<h2>${escaped(heading)}</h2>`, '<ul>', ...list, '</ul>'];
  }
  return [
    `<h2>${escaped(heading)}</h2>`,
    '<table>',
    `<caption>${escaped(heading)}</caption>`,
    `<thead><tr><th scope="col">What</th>${labels.map((label) => `<th scope="col">${escaped(label)}</th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...items.map((item) => itemRow(item, labels)),
    '</tbody>',
    '</table>',
  ];
}

function itemRow({ text, facts }: Item, labels: readonly string[]): string {
  const cells = labels.map((label) => {
    const texts = facts.filter((fact) => fact.label === label).map((fact) => escapedWith(fact.text));
    return `<td>${texts.join('<br>')}</td>`;
  });
  return `<tr><th scope="row">${escapedWith(text)}</th>${cells.join('')}</tr>`;
}

/** Words of the record, which may run the other way than those around them. */
const escapedWith = (text: string) => (/[\u0590-\u08ff]/.test(text) ? `<bdi>${escaped(text)}</bdi>` : escaped(text));

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

// Text that people read in place of the data. https://hl7.org/fhir/R4/narrative.html
import type { Narrative } from '@medplum/fhirtypes';

/** A generated narrative: a headline and a list of lines. */
export function narrative(headline: string, lines: readonly string[]): Narrative {
  const list = lines.length > 0 ? `<ul>${lines.map((line) => `<li>${escapeXml(line)}</li>`).join('')}</ul>` : '';
  const div = `<div xmlns="http://www.w3.org/1999/xhtml"><p>${escapeXml(headline)}</p>${list}</div>`;
  return { status: 'generated', div };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as it may stand in XML or HTML. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

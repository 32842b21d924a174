// A document as plain text: lines of at most 78 characters, items numbered, facts below them.
import { type Fact, INCOMPLETE, type Item, type PlanDocument, type Section } from './document.ts';
import { dateText } from './words.ts';

const WIDTH = 78;

/** Ends with a line feed. */
export function plainText(document: PlanDocument): string {
  const blocks = [
    [...wrapped(document.title, ''), '='.repeat(Math.min(WIDTH, [...document.title].length))],
    ...(document.isComplete ? [] : [wrapped(INCOMPLETE, '')]),
    document.facts.flatMap((fact) => factLines(fact, '')),
    ...document.sections.map(sectionLines),
    wrapped(footing(document), ''),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** When and from what the document was made. */
export function footing({ produced, sources }: PlanDocument): string {
  return `As of ${dateText(produced)}. Made by Baton from ${sources.join(', ')}.`;
}

function sectionLines({ heading, items }: Section): string[] {
  return [heading.toUpperCase(), '-'.repeat(heading.length), ...items.flatMap(itemLines)];
}

function itemLines(item: Item, index: number): string[] {
  const number = `${index + 1}. `;
  const indent = ' '.repeat(number.length);
  const [first = '', ...rest] = wrapped(item.text, indent);
  return [number + first.trimStart(), ...rest, ...item.facts.flatMap((fact) => factLines(fact, indent))];
}

function factLines({ label, text }: Fact, indent: string): string[] {
  const [first = '', ...rest] = wrapped(`${label}: ${text}`, `${indent}  `);
  return [indent + first.trimStart(), ...rest];
}

/** Lines that fit; a word that is longer than a line stands alone and is not cut. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + longer.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, indent + line];
}

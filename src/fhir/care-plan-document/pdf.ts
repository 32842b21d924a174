// A document as PDF: tagged, with language and title, and the same bytes for the same document. https://pdfkit.org
import { type Fact, INCOMPLETE, type Item, type PlanDocument } from './document.ts';
import { footing } from './plain-text.ts';
import { printable } from './printable.ts';

const MARGIN = 60;
const FOOT = 36;
const SIZE = { title: 16, heading: 12, text: 10, small: 8 } as const;
const REPLACED =
  'Some characters cannot be printed here: accents may be missing, and other scripts stand as codes such as [U+0416]. ' +
  'The record has the exact spelling.';

/** @param compress off for those who want to read the content streams */
export async function planPdf(document: PlanDocument, compress = true): Promise<Uint8Array> {
  // Loaded with the first document: fonts and their tables are ten megabytes of a process that may never print one.
  const { default: PdfDocument } = await import('pdfkit');
  // pdfkit knows no Temporal.
  const date = new Date(document.produced);
  const pdf = new PdfDocument({
    size: 'LETTER',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: MARGIN },
    bufferPages: true,
    compress,
    pdfVersion: '1.7',
    lang: 'en-US',
    displayTitle: true,
    tagged: true,
    info: { Title: document.title, Author: 'Baton', CreationDate: date, ModDate: date },
  });
  const chunks: Uint8Array[] = [];
  pdf.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => pdf.once('end', resolve).once('error', reject));
  write(pdf, document);
  writeFeet(pdf, document.person);
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}

function write(pdf: PDFKit.PDFDocument, document: PlanDocument): void {
  const root = pdf.struct('Document');
  pdf.addStructure(root);
  const body = printed(document);
  const paragraph = (tag: 'H1' | 'H2' | 'P', text: string, font: string, size: number, indent = 0) => {
    root.add(
      pdf.struct(tag, {}, () => {
        const x = MARGIN + indent;
        pdf
          .font(font)
          .fontSize(size)
          .text(text, x, undefined, { width: pdf.page.width - MARGIN - x });
      }),
    );
  };
  const fact = ({ label, text }: Fact, indent: number) =>
    paragraph('P', `${label}: ${text}`, 'Helvetica', SIZE.text, indent);
  const item = ({ text, facts }: Item, index: number) => {
    paragraph('P', `${index + 1}. ${text}`, 'Helvetica-Bold', SIZE.text, 8);
    for (const one of facts) fact(one, 22);
    pdf.moveDown(0.3);
  };

  paragraph('H1', body.title, 'Helvetica-Bold', SIZE.title);
  pdf.moveDown(0.5);
  const warnings = [...(body.isComplete ? [] : [INCOMPLETE]), ...(body.isChanged ? [REPLACED] : [])];
  for (const warning of warnings) paragraph('P', warning, 'Helvetica-Oblique', SIZE.text);
  if (warnings.length > 0) pdf.moveDown(0.5);
  for (const one of body.facts) fact(one, 0);
  for (const { heading, items } of body.sections) {
    pdf.moveDown(0.8);
    // A heading at the very end of a page says nothing.
    if (pdf.y > pdf.page.height - MARGIN - 60) pdf.addPage();
    paragraph('H2', heading, 'Helvetica-Bold', SIZE.heading);
    pdf.moveDown(0.2);
    items.forEach(item);
  }
  pdf.moveDown(1);
  paragraph('P', printable(footing(document)).text, 'Helvetica', SIZE.small);
  root.end();
}

/** Whose plan it is and which page, at the foot of each: pages get apart. */
function writeFeet(pdf: PDFKit.PDFDocument, person: string): void {
  const { start, count } = pdf.bufferedPageRange();
  const who = printable(person).text.slice(0, 80);
  for (let page = start; page < start + count; page += 1) {
    pdf.switchToPage(page);
    // Below the margin, where pdfkit would begin another page.
    pdf.page.margins.bottom = 0;
    pdf.markContent('Artifact', { type: 'Pagination' });
    const text = `${who === '' ? '' : `${who}, `}page ${page - start + 1} of ${count}`;
    pdf
      .font('Helvetica')
      .fontSize(SIZE.small)
      .text(text, MARGIN, pdf.page.height - FOOT, { lineBreak: false });
    pdf.endMarkedContent();
  }
}

/** The same document in letters that can be printed. */
function printed(
  document: PlanDocument,
): Omit<PlanDocument, 'produced' | 'sources' | 'person'> & { isChanged: boolean } {
  let isChanged = false;
  const show = (text: string): string => {
    const shown = printable(text);
    isChanged ||= shown.isChanged;
    return shown.text;
  };
  const facts = (all: readonly Fact[]) => all.map(({ label, text }) => ({ label, text: show(text) }));
  show(document.person);
  return {
    title: show(document.title),
    isComplete: document.isComplete,
    facts: facts(document.facts),
    sections: document.sections.map(({ heading, items }) => ({
      heading,
      items: items.map((item) => ({ text: show(item.text), facts: facts(item.facts) })),
    })),
    // Evaluated last: what stands above sets it.
    isChanged,
  };
}

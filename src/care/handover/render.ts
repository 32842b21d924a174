// The hand-over as text to read aloud or put into a letter, in Markdown and without marks.
import type { HandoverSummary, Line } from './handover-schema.ts';

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

export function toMarkdown(summary: HandoverSummary): string {
  const parts = sectionsOf(summary).map(
    ({ title, lines }) => `## ${title}\n\n${lines.map((each) => `- ${escapeMarkdown(each)}`).join('\n')}\n`,
  );
  return `# Hand-over\n\n${parts.join('\n')}`;
}

export function toPlainText(summary: HandoverSummary): string {
  const parts = sectionsOf(summary).map(
    ({ title, lines }) => `${title.toUpperCase()}\n${lines.map((each) => `  ${each}`).join('\n')}\n`,
  );
  return `HAND-OVER\n\n${parts.join('\n')}`;
}

/** Sections that have nothing say so: that something is missing must not look like that it was forgotten. */
function sectionsOf(summary: HandoverSummary): Section[] {
  const { situation, background, team } = summary;
  return [
    { title: 'Situation', lines: situationLines(situation) },
    section('Diagnoses', background.diagnoses),
    section('Allergies', background.allergies),
    section('Recent admissions', background.admissions),
    section('Needs', summary.needs),
    section('Goals', summary.goals),
    section('Overdue', summary.overdue),
    section('Due within 7 days', summary.dueSoon),
    section('Open later', summary.openLater),
    section('Recent contacts', summary.contacts),
    section('Risks', summary.risks),
    section('Medication issues', summary.medicationIssues),
    {
      title: 'Team',
      lines: orNone(
        team.map(({ member, role }) =>
          [member.display ?? member.reference ?? 'somebody', role].filter(Boolean).join(', '),
        ),
      ),
    },
    section('Notes', summary.notes),
  ];
}

function situationLines({ case: about, patient, written }: HandoverSummary['situation']): string[] {
  const { programme, priority, status, statusReason, period, careManager, reasons } = about;
  const reason = statusReason?.text ?? statusReason?.code;
  return [
    [patient.name ?? patient.reference, patient.birthDate && `born ${patient.birthDate}`, patient.gender]
      .filter(Boolean)
      .join(', '),
    ...(patient.language === undefined ? [] : [`Speaks ${patient.language}`]),
    ...(patient.phone === undefined ? [] : [`Phone ${patient.phone}`]),
    [`Case ${status}`, reason && `(${reason})`, period?.start && `since ${period.start.slice(0, 10)}`]
      .filter(Boolean)
      .join(' '),
    ...(programme ? [`Programme: ${programme.text ?? programme.code}`] : []),
    ...(priority === undefined ? [] : [`Priority: ${priority}`]),
    ...reasons.map((each) => `Reason: ${each.text ?? each.code}`),
    ...(careManager ? [`Case manager: ${careManager.display ?? careManager.reference}`] : []),
    `Written ${written}`,
  ];
}

const section = (title: string, lines: readonly Line[]): Section => ({ title, lines: orNone(lines.map(inWords)) });

const orNone = (lines: readonly string[]) => (lines.length > 0 ? lines : ['none on record']);

function inWords({ what, status, when, detail }: Line): string {
  const aside = [status, when?.slice(0, 10)].filter(Boolean).join(', ');
  return [what, aside && `(${aside})`, detail && `- ${detail}`].filter(Boolean).join(' ').replaceAll(/\s+/g, ' ');
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#|]/g, '\\$&');
}

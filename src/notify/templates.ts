// The words of messages, as data: profiles/notifications/. Only ids, codes, times and a link can be filled in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { Fault } from '../fault.ts';
import type { Notice } from './message.ts';

export interface Template {
  /** Code of message-reason; `*` stands for every other. */
  readonly reason: string;
  /** Code of the facility it is for; all when absent. */
  readonly facility?: string;
  readonly subject: string;
  /** Of one follow-up. */
  readonly text: string;
}

export interface Templates {
  subject(notices: readonly Notice[]): string;
  text(notices: readonly Notice[]): string;
}

const FIELDS = ['step', 'due', 'priority', 'facility', 'link', 'count'];

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['reason', 'subject', 'text'],
  properties: {
    reason: { type: 'string', minLength: 1 },
    facility: { type: 'string', minLength: 1 },
    subject: { type: 'string', minLength: 1, pattern: '^[^\\r\\n]*$' },
    text: { type: 'string', minLength: 1 },
  },
} as const;

let check: ValidateFunction<Template> | undefined;

/** @throws Fault unprocessable naming the file that is no template, or fills in what there is not */
export function loadTemplates(folder: string): Templates {
  check ??= new Ajv({ validateSchema: false }).compile<Template>(SCHEMA);
  const isTemplate = check;
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name): Template => {
      const value: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      if (!isTemplate(value)) throw new Fault('unprocessable', `profiles/notifications/${name} is no template.`);
      const unknown = fieldsOf(value.subject + value.text).find((field) => !FIELDS.includes(field));
      if (unknown === undefined) return value;
      throw new Fault(
        'unprocessable',
        `profiles/notifications/${name} fills in {${unknown}}; there are {${FIELDS.join('}, {')}}.`,
      );
    });
  const find = ({ reason, facility }: Notice): Template => {
    const fitting = all.filter(
      (one) => (one.reason === reason || one.reason === '*') && (one.facility ?? facility) === facility,
    );
    const rank = (one: Template) => Number(one.reason === reason) * 2 + Number(one.facility !== undefined);
    return fitting.toSorted((a, b) => rank(b) - rank(a))[0] ?? OTHERWISE;
  };
  return {
    subject(notices) {
      const [first] = notices;
      return first ? fill(find(first).subject, first, notices.length) : '';
    },
    text: (notices) => notices.map((notice) => fill(find(notice).text, notice, notices.length)).join('\n\n'),
  };
}

const OTHERWISE: Template = { reason: '*', subject: 'A follow-up needs you', text: '{link}' };

const fieldsOf = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, field]) => field ?? '');

function fill(text: string, notice: Notice, count: number): string {
  const values: Readonly<Record<string, string | undefined>> = { ...notice, count: String(count) };
  return text.replaceAll(/\{(\w+)\}/g, (_, field: string) => values[field] ?? '');
}

// A Questionnaire made ready to work with: every item by its linkId, with what it is in and what is in it.
import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';

export interface FormItem {
  readonly definition: QuestionnaireItem;
  readonly linkId: string;
  readonly parent: FormItem | undefined;
  readonly children: readonly FormItem[];
  /** What it is one of, in order. */
  readonly siblings: readonly FormItem[];
  /** Its linkId after those of all it is in: `social/housing`. */
  readonly path: string;
}

export interface Form {
  readonly questionnaire: Questionnaire;
  readonly top: readonly FormItem[];
  /** All items in the order they are written. */
  readonly items: readonly FormItem[];
  find(linkId: string): FormItem | undefined;
}

/** Deeper than any form a person fills in. */
const DEEPEST = 20;
const MOST_ITEMS = 2_000;

/** @throws Fault unprocessable naming the linkId that is missing, there twice or nested too deep */
export function openForm(questionnaire: Questionnaire): Form {
  const byId = new Map<string, FormItem>();

  function open(
    definition: QuestionnaireItem,
    parent: FormItem | undefined,
    siblings: FormItem[],
    depth: number,
  ): void {
    const { linkId } = definition;
    if (!linkId) throw broken(parent?.path ?? '', 'has an item without a linkId');
    const path = parent ? `${parent.path}/${linkId}` : linkId;
    if (byId.has(linkId)) throw broken(path, 'uses this linkId twice');
    if (depth > DEEPEST) throw broken(path, `is nested more than ${DEEPEST} levels deep`);
    const children: FormItem[] = [];
    const item: FormItem = { definition, linkId, parent, children, siblings, path };
    siblings.push(item);
    byId.set(linkId, item);
    if (byId.size > MOST_ITEMS) throw broken(path, `has more than ${MOST_ITEMS} items`);
    for (const child of definition.item ?? []) open(child, item, children, depth + 1);
  }

  const top: FormItem[] = [];
  for (const item of questionnaire.item ?? []) open(item, undefined, top, 1);
  return { questionnaire, top, items: [...byId.values()], find: (linkId) => byId.get(linkId) };
}

/** Whether the item is `ancestor` or anywhere in it. */
export function isWithin(item: FormItem, ancestor: FormItem | undefined): boolean {
  if (ancestor === undefined) return true;
  for (let at: FormItem | undefined = item; at; at = at.parent) if (at === ancestor) return true;
  return false;
}

export const isGroup = ({ definition }: FormItem): boolean => definition.type === 'group';
export const isQuestion = ({ definition }: FormItem): boolean =>
  definition.type !== 'group' && definition.type !== 'display';

/** `url|version` as a response names it. */
export function canonicalOf({ url, version }: Questionnaire): string | undefined {
  return url === undefined || version === undefined ? url : `${url}|${version}`;
}

function broken(path: string, why: string): Fault {
  return new Fault('unprocessable', `The Questionnaire ${why}${path ? `: ${path}` : ''}.`, {
    code: 'structure',
    expression: 'Questionnaire.item',
  });
}

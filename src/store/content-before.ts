// What a resource says before a commit changes it.
import type { Group } from './group.ts';
import type { Step } from './step.ts';

const CONTENT = 'SELECT content FROM resource WHERE rid = ?';

/** JSON text; undefined when there was nothing or it was deleted. */
export async function contentBefore(group: Group, { current }: Step): Promise<string | undefined> {
  if (!current || current.deleted) return undefined;
  const [row] = await group.tx.all(CONTENT, [current.rid]);
  return row && String(row.content);
}

const LAST = `SELECT content FROM version WHERE type = ? AND id = ? AND operation <> 'delete' ORDER BY version DESC LIMIT 1`;

/** The same; of what was deleted what it said last. */
export async function lastContent(group: Group, step: Step): Promise<string | undefined> {
  if (!step.current?.deleted) return contentBefore(group, step);
  const [row] = await group.tx.all(LAST, [step.type, step.id]);
  return row && String(row.content);
}

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

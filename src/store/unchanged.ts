// A commit that holds only while a resource it does not touch is as it was when the commit was planned.
import type { Statement } from './store.ts';

const SAME = 'EXISTS (SELECT 1 FROM resource WHERE type = ? AND id = ? AND version = ? AND deleted = 0)';

/**
 * A fence that asks for one thing more.
 * @param fence a statement with `rows` that ends with its WHERE
 * @param resource in the version that was read
 */
export function whileUnchanged(
  fence: Statement,
  { type, id, versionId }: { readonly type: string; readonly id: string; readonly versionId: string },
): Statement {
  return { ...fence, sql: `${fence.sql} AND ${SAME}`, params: [...fence.params, type, id, Number(versionId)] };
}

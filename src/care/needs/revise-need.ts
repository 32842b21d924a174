// Revising what is known of a need.

import { workableCase } from '../case-at-hand.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { revisedNeed } from './need.ts';
import { kindOf, socialNeedOf } from './need-categories.ts';
import type { NeedRevision } from './need-schema.ts';
import { checkNeed, requireCategory } from './record-need.ts';
import { requireStanding } from './settle-need.ts';

/** @throws Fault not-found; unprocessable naming the member */
export async function reviseNeed(
  records: Records,
  caller: Caller,
  { caseId, id, body }: { readonly caseId: string; readonly id: string; readonly body: NeedRevision },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const need = await itemOfCase(records, about, 'Condition', id);
  requireStanding(need);
  await checkNeed(records, caller, about, { onset: body.onset, ...(body.evidence ? { evidence: body.evidence } : {}) });
  if (body.kind || body.category === null) {
    requireCategory(
      body.kind ?? kindOf(need),
      body.category === null ? undefined : (body.category ?? socialNeedOf(need)),
    );
  }
  return {
    changes: [{ op: 'update', resource: revisedNeed(need, body, caller), ifMatch: need.meta.versionId }],
    about: 0,
  };
}

// The resources that a stored List holds, for `_list` of a history. https://hl7.org/fhir/R4/http.html#history
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { isId } from '../../fhir/request-url.ts';
import type { HistoryRequest } from '../../store/store.ts';
import type { FhirContext } from './context.ts';
import { readCurrent } from './read.ts';

/** More would make a condition too long for one statement. */
const MOST = 1_000;

/**
 * Items that are marked as deleted are not in the list any more.
 * @throws Fault invalid when there is no such List, or a functional one is asked for; forbidden; too-large
 */
export async function listedIn(
  context: FhirContext,
  grant: Grant,
  id: string,
): Promise<NonNullable<HistoryRequest['among']>> {
  if (!isId(id)) {
    throw new Fault('invalid', '_list takes the id of a List; functional lists are not offered.', { code: 'value' });
  }
  const { content } = await readCurrent(context, grant, 'List', id);
  const { entry = [] } = JSON.parse(content) as { entry?: { item?: { reference?: string }; deleted?: boolean }[] };
  const base = `${context.base()}/`;
  const references = entry.flatMap(({ item, deleted }) => (item?.reference && !deleted ? [item.reference] : []));
  const targets = references.flatMap(
    (reference) => parseLiteral(reference.startsWith(base) ? reference.slice(base.length) : reference) ?? [],
  );
  if (targets.length <= MOST) return targets;
  throw new Fault('too-large', `_list can be used with Lists of at most ${MOST} entries.`, { code: 'too-costly' });
}

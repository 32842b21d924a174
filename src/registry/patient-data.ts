// What the rules ask of one patient's record, each question asked once.
import type { Resource } from '@medplum/fhirtypes';
import type { RuleFacts, RuleQuery } from '../care/panels/rule.ts';
import { Fault } from '../fault.ts';
import { parseExact } from '../fhir/exact-json.ts';
import type { Parts } from './parts.ts';

const PAGE = 500;
/** A rule that needs more of one patient should ask for less. */
const MOST = 5_000;

export type ReadData = (queries: readonly RuleQuery[]) => Promise<Record<string, readonly Resource[]>>;

/** @throws Fault too-large when a query finds more than 5,000 */
export function readerFor(parts: Parts, facts: Pick<RuleFacts, 'patient' | 'now' | 'zone'>): ReadData {
  const asked = new Map<string, Promise<Resource[]>>();
  return async (queries) => {
    const found: Record<string, readonly Resource[]> = {};
    for (const { name, search, most = MOST } of queries) {
      const text = search(facts);
      const key = `${most} ${text}`;
      const answer = asked.get(key) ?? ask(parts, text, most);
      asked.set(key, answer);
      found[name] = await answer;
    }
    return found;
  };
}

async function ask({ store, parse }: Parts, search: string, most: number): Promise<Resource[]> {
  const query = parse(`${search}&_count=${Math.min(most, PAGE)}`);
  const found: Resource[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.search(cursor === undefined ? query : { ...query, cursor });
    found.push(...page.items.map(({ content }) => parseExact<Resource>(content)));
    cursor = page.next;
    if (cursor !== undefined && found.length >= MOST) {
      throw new Fault('too-large', `A query of a rule finds more than ${MOST} resources of one patient.`);
    }
  } while (cursor !== undefined && found.length < most);
  return found.slice(0, most);
}

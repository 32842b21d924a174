// Most databases have no consents, and a search that leaves out what they withhold then is the search without that: it
// keeps the plan that is made for it.
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SearchResult } from '../store.ts';

const HAS_RULES = 'SELECT 1 AS one FROM consent_rule LIMIT 1';

/** Runs the search without the conditions that only consents fulfil, as long as there are none. */
export async function sparingConsents(
  db: Sql,
  query: SearchQuery,
  run: (query: SearchQuery) => Promise<SearchResult>,
): Promise<SearchResult> {
  const conditions = query.conditions.filter((condition) => !isAboutConsentsOnly(condition));
  if (conditions.length === query.conditions.length || (await hasRules(db))) return run(query);
  const result = await run({ ...query, conditions });
  // One that came while it ran may be about what it found.
  return (await hasRules(db)) ? run(query) : result;
}

function isAboutConsentsOnly(condition: Condition): boolean {
  return condition.kind === 'not' && condition.of.kind === 'withheld' && condition.of.needPermit.length === 0;
}

async function hasRules(db: Sql): Promise<boolean> {
  return (await db.all(HAS_RULES)).length > 0;
}

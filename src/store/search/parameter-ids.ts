// The integer ids of search parameters (table `search_parameter`): given once, kept for ever, also when parameters are
// added later, because index rows carry them.
import { SPECIAL_KEYS } from '../../fhir/search/extract-special.ts';
import { IDENTIFIER_OF_TYPE, type SearchParameters } from '../../fhir/search/parameters.ts';
import type { ParameterKey } from '../../fhir/search/query.ts';
import type { Dialect, Sql } from '../sql.ts';

export interface ParameterIds {
  /** The engine that the ids, and so the statements with them, are for. */
  readonly dialect: Dialect;
  /** @throws Error when the parameter is not one of those that the engine was opened with */
  idOf(key: ParameterKey): number;
}

/** Reads the ids and gives ids to parameters that have none yet. */
export async function openParameterIds(sql: Sql, parameters: SearchParameters): Promise<ParameterIds> {
  const wanted = allKeys(parameters);
  let ids = await readIds(sql);
  while (wanted.some((key) => !ids.has(nameOf(key)))) {
    let next = Math.max(0, ...ids.values()) + 1;
    for (const key of wanted) {
      if (ids.has(nameOf(key))) continue;
      // Another process may be doing the same: whoever is second skips the row and reads the first one's id.
      await sql.run('INSERT INTO search_parameter (id, type, code) VALUES (?, ?, ?) ON CONFLICT DO NOTHING', [
        next++,
        key.type,
        key.code,
      ]);
    }
    ids = await readIds(sql);
  }
  return {
    dialect: sql.dialect,
    idOf(key) {
      const id = ids.get(nameOf(key));
      if (id === undefined) throw new Error(`Search parameter ${nameOf(key)} has no id.`);
      return id;
    },
  };
}

function allKeys(parameters: SearchParameters): ParameterKey[] {
  const keys = new Map(SPECIAL_KEYS.map((key) => [nameOf(key), key]));
  for (const type of parameters.types) {
    for (const definition of parameters.forType(type)) {
      const { type: owner, code } = definition;
      const own: ParameterKey[] = definition.components.map((component) => component.key);
      if (definition.kind !== 'composite') own.push({ type: owner, code });
      if (code === 'identifier') own.push({ type: owner, code: IDENTIFIER_OF_TYPE });
      for (const key of own) keys.set(nameOf(key), key);
    }
  }
  return [...keys.values()];
}

async function readIds(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.all('SELECT id, type, code FROM search_parameter');
  return new Map(rows.map((row) => [nameOf({ type: String(row.type), code: String(row.code) }), Number(row.id)]));
}

function nameOf({ type, code }: ParameterKey): string {
  return `${type}.${code}`;
}

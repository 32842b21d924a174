// Pieces of SQL with their parameters. Texts depend only on the shape of a query, so that statements can be cached.
import type { Dialect } from '../sql.ts';
import type { SqlValue } from '../store.ts';

export interface Fragment {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

export const TRUE: Fragment = { text: '1 = 1', params: [] };
export const FALSE: Fragment = { text: '1 = 0', params: [] };

/** Template literal whose values are fragments (inlined) or SQL values (as `?`). */
export function sql(strings: TemplateStringsArray, ...values: readonly (Fragment | SqlValue)[]): Fragment {
  let text = strings[0] ?? '';
  const params: SqlValue[] = [];
  values.forEach((value, i) => {
    if (isFragment(value)) {
      text += value.text;
      params.push(...value.params);
    } else {
      text += '?';
      params.push(value);
    }
    text += strings[i + 1] ?? '';
  });
  return { text, params };
}

/** Text that is part of the program (table, alias, column), never of a request. */
export function raw(text: string): Fragment {
  return { text, params: [] };
}

/** A row limit as text: SQLite would prepare `LIMIT ?` anew each time it is bound, which costs more than most pages. */
export function atMost(rows: number): Fragment {
  if (!Number.isSafeInteger(rows) || rows < 0) throw new Error('A row limit is a whole number.');
  return raw(`LIMIT ${rows}`);
}

export function and(parts: readonly Fragment[]): Fragment {
  return parts.length === 0 ? TRUE : join(parts, ' AND ');
}

/** Long lists become a balanced tree, because SQLite bounds the depth of an expression. */
export function or(parts: readonly Fragment[]): Fragment {
  const [only] = parts;
  if (!only) return FALSE;
  if (parts.length === 1) return only;
  if (parts.length <= 100) return sql`(${join(parts, ' OR ')})`;
  const half = parts.length >> 1;
  return sql`(${or(parts.slice(0, half))} OR ${or(parts.slice(half))})`;
}

export function join(parts: readonly Fragment[], separator: string): Fragment {
  return { text: parts.map((part) => part.text).join(separator), params: parts.flatMap((part) => part.params) };
}

/** `= ?` for one value, `IN (?, …)` for more. */
export function among(values: readonly SqlValue[]): Fragment {
  if (values.length === 1) return { text: '= ?', params: values };
  return { text: `IN (${values.map(() => '?').join(', ')})`, params: values };
}

/** Lists longer than this are one parameter: their length then makes no new texts and meets no limit. */
const LONG_LIST = 50;

/** `among` for texts, of which there may be very many. */
export function amongTexts(values: readonly string[], dialect: Dialect): Fragment {
  if (values.length <= LONG_LIST) return among(values);
  const json = JSON.stringify(values);
  if (dialect === 'sqlite') return sql`IN (SELECT value FROM json_each(${json}))`;
  return sql`= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(${json} AS JSONB))))`;
}

/**
 * `IN (?, …)` for lists whose length changes from call to call: padded with its last value to the next of few lengths,
 * so that few statement texts exist.
 */
export function amongPadded(values: readonly SqlValue[]): Fragment {
  const size = [1, 10, 50, 100, 250, 500, 1000].find((candidate) => candidate >= values.length) ?? values.length;
  const last = values.at(-1) ?? null;
  return among([...values, ...Array.from({ length: size - values.length }, () => last)]);
}

function isFragment(value: Fragment | SqlValue): value is Fragment {
  return typeof value === 'object' && value !== null && 'text' in value && 'params' in value;
}

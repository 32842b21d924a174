// Portable SQL in PostgreSQL's spelling: `?` becomes `$n`, once per text; column types of migrations are translated.

const KEPT = 5_000;
const translated = new Map<string, string>();

/** Statements with `?` placeholders as PostgreSQL reads them; a `?` in a quoted text or name stays. */
export function numberPlaceholders(sql: string): string {
  const known = translated.get(sql);
  if (known !== undefined) return known;
  let count = 0;
  const text = sql.replace(/'(?:[^']|'')*'|"[^"]*"|\?/g, (found) => {
    if (found !== '?') return found;
    count += 1;
    return `$${count}`;
  });
  if (translated.size >= KEPT) translated.clear();
  translated.set(sql, text);
  return text;
}

/**
 * A migration written for both engines. Text is compared byte by byte, as SQLite does, whatever the database's locale
 * is; every integer key is wide; tables are heaps.
 */
export function translateSchema(script: string): string {
  return script
    .replace(/\bINTEGER PRIMARY KEY\b/g, 'BIGINT PRIMARY KEY')
    .replace(/\bWITHOUT ROWID\b/g, '')
    .replace(/\bBLOB\b/g, 'BYTEA')
    .replace(/(?<!\bAS )\bTEXT\b(?! COLLATE)/g, 'TEXT COLLATE "C"');
}

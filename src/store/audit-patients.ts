// Which patients a record is about, when all that is known is the resource: found for many records at once, by the search
// rows of their resources, and remembered, because the same version is about the same patients for ever.
import type { AuditEntry } from './audit-entry.ts';
import type { SearchEngine } from './search/engine.ts';
import type { Sql } from './sql.ts';

/** Versions that are remembered; the oldest are forgotten. */
const REMEMBERED = 20_000;

export class AuditPatients {
  readonly #engine: Pick<SearchEngine, 'patientsOf'>;
  readonly #known = new Map<string, readonly string[]>();

  constructor(engine: Pick<SearchEngine, 'patientsOf'>) {
    this.#engine = engine;
  }

  /** The same entries, each with its patients. */
  async complete(sql: Sql, entries: readonly AuditEntry[]): Promise<readonly AuditEntry[]> {
    const wanted = new Map<string, Set<string>>();
    for (const entry of entries) {
      const { type, id, patients } = entry;
      if (patients || type === undefined || id === undefined || this.#known.has(keyOf(entry))) continue;
      const ids = wanted.get(type) ?? new Set<string>();
      wanted.set(type, ids.add(id));
    }
    const now = new Map<string, readonly string[]>();
    for (const [type, ids] of wanted) {
      for (const { id, version, patients } of await this.#engine.patientsOf(sql, type, [...ids])) {
        now.set(`${type}/${id}`, patients);
        this.#remember(`${type}/${id}/${version}`, patients);
      }
    }
    return entries.map((entry) => {
      if (entry.patients || entry.type === undefined || entry.id === undefined) return entry;
      const patients = this.#known.get(keyOf(entry)) ?? now.get(`${entry.type}/${entry.id}`);
      if (patients !== undefined) return { ...entry, patients };
      // Nothing is there; who asks for a patient by id asks for that patient all the same.
      return entry.type === 'Patient' ? { ...entry, patients: [entry.id] } : entry;
    });
  }

  #remember(key: string, patients: readonly string[]): void {
    this.#known.delete(key);
    this.#known.set(key, patients);
    if (this.#known.size <= REMEMBERED) return;
    const { value } = this.#known.keys().next();
    if (value !== undefined) this.#known.delete(value);
  }
}

const keyOf = ({ type, id, version }: AuditEntry) => `${type}/${id}/${version ?? ''}`;

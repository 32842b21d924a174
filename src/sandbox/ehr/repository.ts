// Medplum's MemoryRepository made durable: HAPI-like version numbers, one unit of work at a time, undone when it fails,
// journaled before it counts.
import { gone, multipleMatches, OperationOutcomeError, type SearchRequest, type WithId } from '@medplum/core';
import {
  type CreateResourceOptions,
  type DeleteResourceOptions,
  MemoryRepository,
  type UpdateResourceOptions,
} from '@medplum/fhir-router';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { historyBundle } from './history.ts';
import type { EhrVersion, Journal } from './journal.ts';
import { allOk, conflict, created, notFound } from './outcomes.ts';
import { matchesToken, splitTokenFilters } from './token-filter.ts';
import { checkResource } from './vocabulary.ts';

/** The store behind the simulated EHR. Everything goes through `alone`; the rest is what the router calls. */
export class JournaledRepository extends MemoryRepository {
  readonly #journal: Journal;
  readonly #now: () => Temporal.Instant;
  readonly #log: EhrVersion[] = [];
  readonly #versions = new Map<string, EhrVersion[]>();
  /** Versions written by the unit of work in progress. */
  #pending: EhrVersion[] = [];
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(journal: Journal, now: () => Temporal.Instant) {
    super();
    this.#journal = journal;
    this.#now = now;
  }

  /** @param earlier what the journal holds; ids, version numbers and times come back exactly as they were */
  static async open(
    journal: Journal,
    earlier: readonly EhrVersion[],
    now: () => Temporal.Instant,
  ): Promise<JournaledRepository> {
    const repository = new JournaledRepository(journal, now);
    for (const version of earlier) {
      repository.#remember(version);
      await repository.#apply(version);
    }
    return repository;
  }

  /**
   * Runs `work` with nobody else inside. If `keep` says yes to its result, what it wrote is journaled; otherwise, and
   * when anything throws, memory is put back. MemoryRepository has no transactions of its own.
   */
  alone<T>(work: () => Promise<T>, keep: (result: T) => boolean): Promise<T> {
    const run = async (): Promise<T> => {
      this.#pending = [];
      try {
        const result = await work();
        if (keep(result)) {
          if (this.#pending.length > 0) await this.#journal.append(this.#pending);
          this.#log.push(...this.#pending);
        } else await this.#undo();
        return result;
      } catch (error) {
        await this.#undo();
        throw error;
      }
    };
    const turn = this.#tail.then(run, run);
    this.#tail = turn.catch(() => {});
    return turn;
  }

  /** Resolves when no unit of work is running, then closes the file. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#journal.close();
  }

  /** Committed and pending versions, oldest first, of everything, a type or one resource. */
  versionsOf(type?: string, id?: string): readonly EhrVersion[] {
    if (type !== undefined && id !== undefined) return this.#versions.get(`${type}/${id}`) ?? [];
    const all = [...this.#log, ...this.#pending];
    return type === undefined ? all : all.filter((version) => version.type === type);
  }

  override async createResource<T extends Resource>(
    resource: T,
    options?: CreateResourceOptions,
    update = false,
  ): Promise<WithId<T>> {
    checkResource(resource);
    const id = (update || options?.assignedId) && resource.id ? resource.id : this.generateId();
    const number = this.versionsOf(resource.resourceType, id).length + 1;
    const stamp = { versionId: String(number), lastUpdated: this.#stamp() };
    const stamped = { ...resource, id, meta: { ...resource.meta, ...stamp } };
    const stored = await this.withSeeding(() => super.createResource<T>(stamped, options, update));
    const op = number === 1 ? 'create' : 'update';
    this.#wrote({ op, type: resource.resourceType, id, ...stamp, resource: structuredClone(stored) });
    return stored;
  }

  /** A stale If-Match on a deleted or unknown resource is a failed precondition, not a new resource. */
  override async updateResource<T extends Resource>(resource: T, options?: UpdateResourceOptions): Promise<WithId<T>> {
    if (options?.ifMatch && this.#current(resource.resourceType, resource.id ?? '')?.versionId !== options.ifMatch) {
      throw new OperationOutcomeError(conflict(options.ifMatch));
    }
    return super.updateResource(resource, undefined);
  }

  override async deleteResource(type: string, id: string, options?: DeleteResourceOptions): Promise<void> {
    const last = this.versionsOf(type, id).at(-1);
    if (!last) throw new OperationOutcomeError(notFound(type, id));
    if (last.op === 'delete') return;
    if (options?.ifMatch && last.versionId !== options.ifMatch)
      throw new OperationOutcomeError(conflict(options.ifMatch));
    await super.deleteResource(type, id);
    const versionId = String(Number(last.versionId) + 1);
    this.#wrote({ op: 'delete', type, id, versionId, lastUpdated: this.#stamp() });
  }

  override async readResource<T extends Resource>(type: string, id: string): Promise<T> {
    const last = this.versionsOf(type, id).at(-1);
    if (!last) throw new OperationOutcomeError(notFound(type, id));
    if (last.op === 'delete') throw new OperationOutcomeError(gone);
    return super.readResource<T>(type, id);
  }

  override async readVersion<T extends Resource>(type: string, id: string, versionId: string): Promise<T> {
    const version = this.versionsOf(type, id).find((candidate) => candidate.versionId === versionId);
    if (!version) throw new OperationOutcomeError(notFound(type, `${id}/_history/${versionId}`));
    if (!version.resource) throw new OperationOutcomeError(gone);
    return structuredClone(version.resource) as T;
  }

  /** MemoryRepository's own history turns its list around on every call and forgets deletes. */
  override async readHistory<T extends Resource>(type: string, id: string): Promise<Bundle<T>> {
    const versions = this.versionsOf(type, id);
    if (versions.length === 0) throw new OperationOutcomeError(notFound(type, id));
    return historyBundle(versions, {}) as Bundle<T>;
  }

  /** MemoryRepository cuts a token at its second `|`; Baton's follow-up identifiers have two in their value. */
  override async search<T extends Resource>(request: SearchRequest<T>): Promise<Bundle<WithId<T>>> {
    const { plain, barred } = splitTokenFilters(request.filters ?? []);
    if (barred.length === 0) return super.search(request);
    const { include, revInclude, offset, count, ...rest } = request;
    const all = await super.search<T>({ ...rest, filters: plain });
    const ids = (all.entry ?? [])
      .map((entry) => entry.resource as WithId<T>)
      .filter((resource) => barred.every((filter) => matchesToken(resource, filter)))
      .map((resource) => resource.id);
    // `_id` with an empty list would match everything that has no id, so nothing found is answered here.
    if (ids.length === 0) return { resourceType: 'Bundle', type: 'searchset', total: 0 };
    const byId = { code: '_id', operator: 'eq', value: ids.join(',') } as (typeof plain)[number];
    return super.search<T>({ ...request, filters: [byId] });
  }

  override async conditionalCreate<T extends Resource>(
    resource: T,
    search: SearchRequest<T>,
    options?: CreateResourceOptions,
  ): Promise<{ resource: WithId<T>; outcome: OperationOutcome }> {
    const matches = await this.searchResources<T>({ ...search, count: 2, sortRules: undefined });
    if (matches.length > 1) throw new OperationOutcomeError(multipleMatches);
    if (matches[0]) return { resource: matches[0], outcome: allOk };
    return { resource: await this.createResource(resource, options), outcome: created };
  }

  #current(type: string, id: string): EhrVersion | undefined {
    const last = this.versionsOf(type, id).at(-1);
    return last?.op === 'delete' ? undefined : last;
  }

  #stamp(): string {
    return this.#now()
      .round({ smallestUnit: 'millisecond', roundingMode: 'floor' })
      .toString({ fractionalSecondDigits: 3 });
  }

  #wrote(version: EhrVersion): void {
    this.#pending.push(version);
    this.#file(version);
  }

  #remember(version: EhrVersion): void {
    this.#log.push(version);
    this.#file(version);
  }

  #file(version: EhrVersion): void {
    const key = `${version.type}/${version.id}`;
    const versions = this.#versions.get(key);
    if (versions) versions.push(version);
    else this.#versions.set(key, [version]);
  }

  async #apply({ type, id, resource }: EhrVersion): Promise<void> {
    if (resource) await this.withSeeding(() => super.createResource(resource, undefined, true));
    else await super.deleteResource(type, id);
  }

  async #undo(): Promise<void> {
    const touched = new Set(this.#pending.map((version) => `${version.type}/${version.id}`));
    const undone = new Set(this.#pending);
    this.#pending = [];
    for (const key of touched) {
      const kept = (this.#versions.get(key) ?? []).filter((version) => !undone.has(version));
      this.#versions.set(key, kept);
      const [type, id] = key.split('/') as [string, string];
      await this.expungeResource(type, id);
      for (const version of kept) await this.#apply(version);
    }
  }
}

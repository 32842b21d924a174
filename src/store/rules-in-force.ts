// Keeps what this process checks and indexes by in step with the database: guides that another process has added are
// loaded before the next commit, and a moment after they were added in any case.
import type { InstalledGuide } from '../fhir/package/guide.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { type ConformanceMark, checkMark, markParameters, Outdated, readMark } from './conformance-mark.ts';
import type { Engine } from './engine.ts';
import { readGuides } from './guide-rows.ts';
import type { SearchEngine } from './search/engine.ts';
import type { Sql } from './sql.ts';

/** Guides may change again while they are loaded; more often than this is nobody's doing. */
const ATTEMPTS = 5;

export interface RulesInForce {
  /** Whether resources are still to be indexed by some parameter. */
  readonly isIndexing: boolean;
  /** Loads what has changed; false when nothing has. */
  refresh(): Promise<boolean>;
  /**
   * Runs a write transaction whose rules are those of the database.
   * @throws Fault unavailable when another Baton on the database indexes by other search parameters
   */
  write<T>(attempt: (check: (tx: Sql) => Promise<void>) => Promise<T>): Promise<T>;
}

/** Definitions and parameters made from other guides, not in force yet. */
export interface PreparedRules {
  readonly parameters: SearchParameters;
  enforce(): void;
}

export type PrepareRules = (guides: readonly InstalledGuide[]) => PreparedRules;

/** @param prepare is given the guides at the start and whenever they have changed; absent when guides do not matter */
export async function enforceRules(
  engine: Engine,
  searchEngine: SearchEngine,
  prepare: PrepareRules | undefined,
): Promise<RulesInForce> {
  let own = await load(undefined);
  let isIndexing = await searchEngine.followIndexing(engine.reader);
  let refreshing: Promise<boolean> | undefined;

  async function load(before: ConformanceMark | undefined): Promise<ConformanceMark> {
    // The mark is read first: a change that comes in between is then noticed as one the next time.
    const { guides } = await readMark(engine.reader);
    const prepared = prepare?.(await readGuides(engine.reader));
    const opened = await engine.write(async (tx) => {
      const opened = await searchEngine.open(tx, prepared?.parameters);
      const stored = await readMark(tx);
      // Who starts last decides; one who finds that another has decided otherwise meanwhile does not decide back.
      const mayDecide = before === undefined || stored.parameters === before.parameters;
      if (mayDecide && stored.parameters !== opened.fingerprint) await markParameters(tx, opened.fingerprint);
      return opened;
    });
    // Both at once: a query read by the new parameters must never meet an index that does not know them.
    opened.enforce();
    prepared?.enforce();
    return { guides, parameters: opened.fingerprint };
  }

  async function look(): Promise<boolean> {
    const stored = await readMark(engine.reader);
    const changed = stored.guides !== own.guides;
    if (changed) own = await load(own);
    if (changed || isIndexing) isIndexing = await searchEngine.followIndexing(engine.reader);
    return changed;
  }

  function refresh(): Promise<boolean> {
    refreshing ??= look().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  return {
    get isIndexing() {
      return isIndexing;
    },
    refresh,
    async write(attempt) {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(async (tx) => checkMark(await readMark(tx), own));
        } catch (error) {
          if (!(error instanceof Outdated) || tries === ATTEMPTS) throw error;
          await refresh();
        }
      }
    },
  };
}

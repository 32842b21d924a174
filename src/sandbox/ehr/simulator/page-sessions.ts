// What `next` links stand for: the results of a search or a history, kept until they expire.
import type { Notice } from '../vendors/vendor-rules.ts';
import type { Chance } from './chance.ts';
import type { Condition } from './match.ts';
import type { Version } from './records.ts';

export interface Search {
  readonly type: string;
  readonly conditions: readonly Condition[];
  /** Page size. */
  readonly count: number;
  readonly newestFirst: boolean;
  /** Reference parameters whose targets come along. */
  readonly include: readonly string[];
  readonly countOnly: boolean;
  readonly notices: readonly Notice[];
  /** For the self link. */
  readonly query: string;
}

export interface Session {
  readonly kind: 'search' | 'history';
  /** Resource type, empty for a history of everything. */
  readonly type: string;
  readonly items: readonly Version[];
  readonly size: number;
  readonly search?: Search;
  /** Milliseconds since 1970. */
  readonly made: number;
}

export interface Pages {
  keep(session: Session): string;
  get(id: string): Session | undefined;
  forget(): void;
}

const MOST_SESSIONS = 10_000;

export function createPages(chance: Chance): Pages {
  const sessions = new Map<string, Session>();
  return {
    keep(session) {
      const id = chance.text(24);
      sessions.set(id, session);
      if (sessions.size > MOST_SESSIONS) sessions.delete(sessions.keys().next().value ?? '');
      return id;
    },
    get: (id) => sessions.get(id),
    forget: () => sessions.clear(),
  };
}

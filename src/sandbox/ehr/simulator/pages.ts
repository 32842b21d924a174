// Pages of a search or a history as Bundles, with the `next` links that knobs and vendors make difficult.

import { textOf } from './dress.ts';
import type { Answer, Ehr } from './ehr.ts';
import { historyEntry } from './history.ts';
import { referencesOf } from './match.ts';
import type { Search, Session } from './page-sessions.ts';
import type { Version } from './records.ts';
import { outcome, Refusal } from './refusal.ts';
import { matchesOf } from './search.ts';

/** First page of a search. */
export function searchPage(ehr: Ehr, search: Search): Answer {
  const all = matchesOf(ehr, search);
  const cap = ehr.rules.types[search.type]?.cap;
  const items = cap === undefined ? all : all.slice(0, cap);
  if (search.countOnly) return bundle(`"type":"searchset","total":${items.length}`, []);
  const notices = [...search.notices];
  if (items.length < all.length) notices.push('too-many');
  if (items.length > 0) notices.push('perhaps-incomplete');
  else notices.push('nothing-found');
  const session: Session = { kind: 'search', type: search.type, items, size: search.count, search, made: ehr.now() };
  const said = notices.flatMap((notice) => {
    const row = ehr.rules.notices[notice];
    return row ? [outcomeEntry(ehr, row.code, row.own, row.text)] : [];
  });
  return page(ehr, session, undefined, 0, said);
}

/** First page of a history. @param items newest first */
export function historyPage(ehr: Ehr, type: string, items: readonly Version[], size: number): Answer {
  return page(ehr, { kind: 'history', type, items, size, made: ehr.now() }, undefined, 0, []);
}

/** The page that a `next` link leads to. @throws Refusal page-expired */
export function followingPage(ehr: Ehr, token: string): Answer {
  const { knobs, rules } = ehr;
  const [, id = '', offset = ''] = /^([A-Za-z0-9]+)-(\d{1,9})$/.exec(token) ?? [];
  const session = ehr.pages.get(id);
  const lives = (knobs.pagesLive ?? rules.paging.liveSeconds) * 1000;
  if (!session || ehr.now() > session.made + lives) throw expired();
  if (knobs.expireNext > 0) {
    knobs.expireNext -= 1;
    throw expired();
  }
  const fresh = knobs.shiftingPages && session.search ? { ...session, items: matchesOf(ehr, session.search) } : session;
  return page(ehr, fresh, id, Number(offset), []);
}

const expired = () => new Refusal('page-expired', 'The results of this search are no longer kept. Search again.');

function page(ehr: Ehr, session: Session, known: string | undefined, offset: number, said: string[]): Answer {
  const { knobs, rules } = ehr;
  const { items, size, kind } = session;
  const overlap = offset > 0 ? knobs.repeatAcrossPages || (rules.paging.loose ? 1 : 0) : 0;
  const part = items.slice(Math.max(0, offset - overlap), offset + size);
  if (rules.paging.loose) part.sort((left, right) => (left.id < right.id ? -1 : 1));
  const entries =
    kind === 'search' ? searchEntries(ehr, part, session.search) : part.map((one) => historyEntry(ehr, one));
  const links = [link('self', selfOf(ehr, session, known, offset))];
  const isLast = offset + size >= items.length;
  if (knobs.nextLoop || !isLast || (knobs.emptyLastPage && offset < items.length)) {
    const id = known ?? ehr.pages.keep(session);
    const token = `${id}-${knobs.nextLoop && offset > 0 ? offset : offset + size}`;
    links.push(link('next', elsewhere(`${ehr.base()}${rules.paging.link(session.type, token)}`, knobs.foreignNext)));
  }
  // Vendors with loose pages do not say how many there are.
  const total = rules.paging.loose ? '' : `"total":${items.length},`;
  const type = kind === 'search' ? 'searchset' : 'history';
  return bundle(`"type":"${type}",${total}"link":[${links.join(',')}]`, [...entries, ...said]);
}

function searchEntries(ehr: Ehr, part: readonly Version[], search: Search | undefined): string[] {
  const entries: string[] = [];
  const included = new Set<string>();
  for (const { type, id } of part) {
    const version = ehr.records.shown(type, id);
    if (!version) continue;
    if (ehr.chance.happens(ehr.knobs.partialBundles)) {
      entries.push(outcomeEntry(ehr, 'processing', undefined, 'One resource could not be returned.'));
      continue;
    }
    entries.push(entry(ehr, version, 'match'));
    for (const name of search?.include ?? []) for (const each of referencesOf(version, name)) included.add(each);
  }
  for (const reference of included) {
    const [type = '', id = ''] = reference.split('/');
    const version = ehr.records.shown(type, id);
    if (version) entries.push(entry(ehr, version, 'include'));
  }
  return entries;
}

function entry(ehr: Ehr, version: Version, mode: 'match' | 'include'): string {
  const url = JSON.stringify(`${ehr.base()}/${version.type}/${version.id}`);
  return `{"fullUrl":${url},"resource":${textOf(ehr, version)},"search":{"mode":"${mode}"}}`;
}

function outcomeEntry({ rules }: Ehr, code: string, own: string | undefined, text: string): string {
  return JSON.stringify({ resource: outcome(rules, 'warning', code, own, text), search: { mode: 'outcome' } });
}

function selfOf(ehr: Ehr, { type, search }: Session, known: string | undefined, offset: number): string {
  if (known !== undefined) return `${ehr.base()}${ehr.rules.paging.link(type, `${known}-${offset}`)}`;
  return search ? `${ehr.base()}/${type}?${search.query}` : `${ehr.base()}/${type ? `${type}/` : ''}_history`;
}

const link = (relation: string, url: string) => JSON.stringify({ relation, url });

function elsewhere(url: string, origin: string): string {
  if (origin === '') return url;
  const { pathname, search } = new URL(url);
  return `${new URL(origin).origin}${pathname}${search}`;
}

function bundle(head: string, entries: readonly string[]): Answer {
  const list = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : '';
  return { status: 200, headers: {}, body: `{"resourceType":"Bundle",${head}${list}}` };
}

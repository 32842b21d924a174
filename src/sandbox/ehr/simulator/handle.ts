// One FHIR request to a simulated server, as its vendor answers it. https://hl7.org/fhir/R4/http.html
import type { Ability } from '../vendors/vendor-rules.ts';
import { bundleRequest } from './batch.ts';
import { textOf } from './dress.ts';
import type { Answer, Asked, Ehr } from './ehr.ts';
import { historyOf } from './history.ts';
import { followingPage, historyPage, searchPage } from './pages.ts';
import { patientsOf } from './records.ts';
import { Refusal } from './refusal.ts';
import { readSearch } from './search.ts';
import { create, patch, present, remove, requireAbility, update, versionHeaders } from './write.ts';

export interface Intent {
  readonly ability: Ability | 'history-system' | 'next' | 'bundle' | 'unknown';
  readonly type: string;
}

/** What a request wants, before anybody looks whether it may. */
export function intentOf(ehr: Ehr, { method, segments, pairs, headers }: Asked): Intent {
  const [type = '', second, third] = segments;
  const verb = overridden(method, headers, pairs);
  const isRead = verb === 'GET' || verb === 'HEAD';
  if (isRead && pairs.some(([key]) => key === ehr.rules.paging.parameter)) return { ability: 'next', type };
  if (segments.length === 0) return { ability: verb === 'POST' ? 'bundle' : 'unknown', type };
  if (type === '_history' && isRead) return { ability: 'history-system', type: '' };
  if (verb === 'POST' && second === '_search') return { ability: 'search', type };
  if (segments.length === 1) return { ability: isRead ? 'search' : verb === 'POST' ? 'create' : 'unknown', type };
  if (second === '_history') return { ability: isRead ? 'history-type' : 'unknown', type };
  if (third === '_history') {
    return { ability: !isRead ? 'unknown' : segments.length === 4 ? 'vread' : 'history-instance', type };
  }
  const onOne = { GET: 'read', HEAD: 'read', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;
  return { ability: onOne[verb as keyof typeof onOne] ?? 'unknown', type };
}

/** Oracle Health takes a PATCH that comes as a POST. */
function overridden(method: string, headers: Asked['headers'], pairs: Asked['pairs']): string {
  if (method !== 'POST') return method;
  const asked = headers['x-http-method-override'] ?? pairs.find(([key]) => key === '_method')?.[1];
  return String(asked ?? method).toUpperCase() === 'PATCH' ? 'PATCH' : method;
}

/** Decided by what is inside, or by what came before. */
const OPEN = new Set<string>(['next', 'bundle', 'unknown', 'history-system']);

/** @throws Refusal */
export async function handle(ehr: Ehr, asked: Asked, intent: Intent = intentOf(ehr, asked)): Promise<Answer> {
  const { ability, type } = intent;
  const [, id = '', , version = ''] = asked.segments;
  if (!OPEN.has(ability) && !asked.allows(type, ability)) {
    throw new Refusal('scope', `The scopes of the token do not cover ${ability} of ${type}.`);
  }
  switch (ability) {
    case 'next':
      return followingPage(ehr, asked.pairs.find(([key]) => key === ehr.rules.paging.parameter)?.[1] ?? '');
    case 'bundle':
      return bundleRequest(ehr, asked, (one) => handle(ehr, one));
    case 'history-system':
      if (!ehr.abilities.has('history-system')) throw new Refusal('not-offered', 'There is no history here.');
      return history(ehr, undefined, undefined, asked);
    case 'search':
      requireAbility(ehr, type, 'search');
      return searchPage(ehr, readSearch(ehr, type, searchPairs(ehr, asked)));
    case 'history-type':
    case 'history-instance':
      requireAbility(ehr, type, ability);
      return history(ehr, type, ability === 'history-type' ? undefined : id, asked);
    case 'create':
      return create(ehr, type, asked);
    case 'update':
      return update(ehr, type, id, asked);
    case 'patch':
      return patch(ehr, type, id, asked);
    case 'delete':
      return remove(ehr, type, id, asked);
    case 'read':
    case 'vread':
      requireAbility(ehr, type, ability);
      return read(ehr, type, id, ability === 'vread' ? Number(version) : undefined, asked);
    default:
      throw new Refusal(type === '' ? 'unknown-type' : 'not-offered', `${asked.method} is not offered here.`);
  }
}

/** What is in the URL of a POSTed search counts nothing at Epic. */
function searchPairs({ rules }: Ehr, { method, pairs, body }: Asked): readonly (readonly [string, string])[] {
  if (method !== 'POST') return pairs;
  const form = [...new URLSearchParams(body)] as [string, string][];
  return rules.name === 'epic' ? form : [...pairs, ...form];
}

function read(ehr: Ehr, type: string, id: string, number: number | undefined, asked: Asked): Answer {
  const survivor = type === 'Patient' ? ehr.merged.get(id) : undefined;
  if (survivor !== undefined && ehr.rules.refusals.merged) {
    throw new Refusal('merged', 'The patient was merged into another one.', `${ehr.base()}/Patient/${survivor}`);
  }
  const versions = ehr.records.versions(type, id);
  const version = present(number === undefined ? versions.at(-1) : versions[number - 1], type, id);
  const about = type === 'Patient' ? [id] : version.resource ? patientsOf(version.resource) : [];
  if (about.some((patient) => ehr.knobs.breakTheGlass.includes(patient))) {
    throw new Refusal('restricted', 'This record needs a reason to be opened.');
  }
  const headers = versionHeaders(ehr, version);
  if (headers.etag !== undefined && asked.headers['if-none-match'] === headers.etag) {
    return { status: 304, headers, body: '' };
  }
  return { status: 200, headers, body: textOf(ehr, version) };
}

function history(ehr: Ehr, type: string | undefined, id: string | undefined, asked: Asked): Answer {
  const { items, size } = historyOf(ehr, type, id, asked.pairs);
  if (type !== undefined && id !== undefined && items.length === 0) present(undefined, type, id);
  return historyPage(ehr, type ?? '', items, size);
}

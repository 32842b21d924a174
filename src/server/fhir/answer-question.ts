// A question inside a Bundle, answered by the code that answers the same request outside of it.
// https://hl7.org/fhir/R4/http.html#transaction-response
import { decide, decideFully } from '../../access/decide.ts';
import { Fault } from '../../fault.ts';
import type { Question } from '../../fhir/bundle-entry.ts';
import type { Change } from '../../fhir/change.ts';
import { auditOfQuestion } from './audit-entry.ts';

import { isAboutTrail } from './audit-events.ts';
import type { EntryParts } from './bundle-text.ts';
import type { Answer } from './context.ts';
import type { Matched } from './match-route.ts';

import { changesState, matchQuestion } from './questions.ts';
import { readCurrent } from './read.ts';
import type { Run } from './run.ts';
import { planSearch } from './search.ts';
import { statusLine } from './status-line.ts';
import { withStoredTokenSets } from './stored-token-sets.ts';
import { readVersion } from './vread.ts';

/** @throws Fault as the interaction does */
export async function answerQuestion(run: Run, question: Question): Promise<EntryParts> {
  const { context, grant } = run;
  const matched = match(run, question);
  const answer = await ask(run, question, matched);
  context.store.audit(auditOfQuestion(grant, question, matched, answer.status, answer.headers?.etag));
  const { type, id, target } = matched.params;
  const isResource = target === undefined && id !== undefined && answer.lastUpdated !== undefined;
  const hasBody = question.method !== 'HEAD' && answer.body !== undefined;
  return {
    ...(isResource && hasBody ? { fullUrl: `${context.base()}/${type}/${id}` } : {}),
    resource: hasBody ? answer.body : undefined,
    response: {
      status: statusLine(answer.status),
      ...(answer.headers?.etag === undefined ? {} : { etag: answer.headers.etag }),
      ...(answer.lastUpdated === undefined ? {} : { lastModified: answer.lastUpdated }),
    },
  };
}

/** Records that a question has failed. */
export function auditFailure(run: Run, question: Question, status: number): void {
  run.context.store.audit(auditOfQuestion(run.grant, question, tryMatch(run, question), status));
}

/**
 * A question that must fail fails its transaction before that has written anything.
 * @throws Fault invalid | forbidden | not-found | gone
 */
export async function refuseHopeless(run: Run, question: Question, changes: readonly Change[]): Promise<void> {
  const { context, grant, wanted } = run;
  const matched = match(run, question);
  const { type = '', id = '', version, target } = matched.params;
  const { interaction } = matched.route.facts;
  const about = { type: target ?? matched.params.type, patient: target && id, pairs: question.pairs };
  if (isAboutTrail(matched.params)) {
    await ask(run, question, matched);
  } else if (interaction === 'search-type' || interaction === 'search-system') {
    planSearch(await withStoredTokenSets(context, grant, question.pairs), grant, about, wanted.handling);
  } else if (changesState(interaction)) {
    throw new Fault('invalid', `${interaction} cannot be part of a transaction; send it on its own or in a batch.`, {
      code: 'not-supported',
    });
  } else if (changes.some((change) => change.op === 'update' && isAbout(change, type, id))) {
    // The version it asks for may be the one that this transaction makes; only the right to see it is known yet.
    if (version) decideFully(grant, 'vread', type);
    else decide(grant, 'read', type);
  } else if (interaction === 'vread' && version) {
    await readVersion(context, grant, { type, id, versionId: version });
  } else if (interaction === 'read') {
    await readCurrent(context, grant, type, id);
    if (changes.some((change) => change.op === 'delete' && change.type === type && change.id === id)) {
      throw new Fault('gone', `The transaction reads ${type}/${id}, which it deletes.`);
    }
  } else await ask(run, question, matched);
}

const isAbout = ({ resource }: Extract<Change, { op: 'update' }>, type: string, id: string) =>
  resource.resourceType === type && resource.id === id;

function ask({ context, grant, prefer }: Run, question: Question, { route, params }: Matched): Promise<Answer> {
  const { pairs, headers, resource } = question;
  return route.handler(context, {
    grant,
    params,
    pairs,
    headers: { ...headers, ...(prefer === undefined ? {} : { prefer }) },
    body: resource,
  });
}

function match({ context }: Run, { method, segments }: Question): Matched {
  return matchQuestion(method === 'HEAD' ? 'GET' : method, segments, context.isType);
}

function tryMatch(run: Run, question: Question): Matched | undefined {
  try {
    return match(run, question);
  } catch {
    return undefined;
  }
}

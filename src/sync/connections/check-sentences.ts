// What a check says, in a person's words. Tables, so that every finding has exactly one sentence.

import type { PushWay, TypeAbilities } from '../pull/type-abilities.ts';
import type { PullStrategy } from './settings.ts';

export const PULL_WORDS: Record<PullStrategy, string> = {
  history: 'can be read by its history, deletes included',
  search: 'can be read by what changed since the last time',
  roster: 'can be read patient by patient',
  none: 'cannot be read, because the server finds it neither by time nor by patient',
};

export const PUSH_WORDS: Record<PushWay, string> = {
  'create-and-update': 'can be written',
  'update-only': 'can be changed but not made there',
  'create-only': 'can be made there but not changed',
  none: 'cannot be written',
};

/** By code of Node and OpenSSL. */
const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known; correct the base URL or the name server',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was broken off',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  'time-out': 'there was no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'there was no answer in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; name its authority in tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here; name it in tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here; name it in tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here; name it in tls.ca',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of ours; set tls.cert and tls.key',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it broke the handshake off; it may want a certificate of ours',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know who signed our certificate',
};

export const networkWords = (code: string) => NETWORK_WORDS[code] ?? `it failed with ${code}`;

/** `No answer: … (CODE).` in words that name the member to change, where there are some. */
export function noAnswerHint(message: string): string {
  const code = /^No answer: (?:.*\()?(\S+?)\)?\.?$/.exec(message)?.[1] ?? '';
  return Object.hasOwn(NETWORK_WORDS, code) ? `No answer: ${networkWords(code)}.` : message;
}

/** By `error` of RFC 6749, as the token endpoint gives it. */
const TOKEN_WORDS: Readonly<Record<string, string>> = {
  invalid_client: 'It does not accept who we are: check auth.clientId, and the secret or the registered key.',
  unauthorized_client: 'This client may not get tokens in this way.',
  invalid_scope: 'It does not give the scope that auth.scope asks for.',
  invalid_request: 'It wants the credentials in another way; try the other auth.method.',
  unsupported_grant_type: 'It gives no tokens to services (client_credentials).',
};

/** What may help, added to the sentence of a failed token request. */
export function tokenHint(message: string): string {
  const error = /\((\w+)\)/.exec(message)?.[1] ?? '';
  const hint = TOKEN_WORDS[error];
  return hint === undefined ? message : `${message} ${hint}`;
}

/** `CarePlan can be read patient by patient, cannot be written; changes would go out as a DocumentReference.` */
export function typeSentence(type: string, can: TypeAbilities, wants: { pull: boolean; push: boolean }): string {
  const clauses = [...(wants.pull ? [pullWords(can)] : []), ...(wants.push ? [PUSH_WORDS[can.push]] : [])];
  const notes = wants.push ? pushNotes(can) : [];
  return `${type} ${clauses.join(', ')}${notes.map((note) => `; ${note}`).join('')}.`;
}

function pullWords({ pull, onlyLinked, read, search }: TypeAbilities): string {
  if (onlyLinked) return 'can be read one by one once it is linked, so nothing new comes in';
  return pull === 'none' && !read && !search ? 'cannot be read' : PULL_WORDS[pull];
}

function pushNotes(can: TypeAbilities): string[] {
  const notes: string[] = [];
  if (can.projection) notes.push(projectionWords(can.projection, can.push));
  if (can.update && !can.guardedUpdates)
    notes.push('the server keeps no versions, so Baton looks at it before it writes');
  if (can.create && !can.conditionalCreate) {
    notes.push(
      can.identifierSearch
        ? 'a create whose answer is lost is looked for by our identifier'
        : 'a create whose answer is lost cannot be looked for and may wait for a person',
    );
  }
  return notes;
}

function projectionWords({ as, isChosen, isTaken }: NonNullable<TypeAbilities['projection']>, push: PushWay): string {
  const what = push === 'update-only' ? 'what is new here' : 'changes';
  if (!isTaken) return `${what} would go out as a ${as}, but the server does not take that either`;
  return isChosen ? `${what} would go out as a ${as}` : `with projections, ${what} could go out as a ${as}`;
}

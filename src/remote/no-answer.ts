// Why there was no answer, in a sentence that a person can act on.
import { reasonOf } from './classify.ts';

const SENTENCES: Readonly<Record<string, string>> = {
  'time-out': 'it took longer than is allowed for a whole exchange',
  ECONNREFUSED: 'nothing listens at the address',
  ECONNRESET: 'the server broke the connection off',
  ENOTFOUND: 'the name of the server does not exist',
  EAI_AGAIN: 'the name of the server could not be looked up',
  UND_ERR_SOCKET: 'the connection ended in the middle of the answer',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'the length that was stated is not that of the body',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the length that the server stated is not that of its answer',
  UND_ERR_HEADERS_OVERFLOW: 'the server sent more headers than are read',
  HPE_HEADER_OVERFLOW: 'the server sent more headers than are read',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the server signed its certificate itself; name it as tls.ca of the connection if it is right',
  SELF_SIGNED_CERT_IN_CHAIN: 'who signed the certificate is not trusted; name that one as tls.ca of the connection',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the chain of the certificate is not complete; the server must send all of it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'who signed the certificate is not trusted; name that one as tls.ca of the connection',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet; compare the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name than the base URL has',
};

/** @param error what fetch or the reading of a body threw */
export function noAnswer(error: unknown): string {
  const reason = reasonOf(error);
  if (Object.hasOwn(SENTENCES, reason)) return `No answer: ${SENTENCES[reason]} (${reason}).`;
  if (reason.startsWith('HPE_')) return `No answer: what the server sends is not HTTP (${reason}).`;
  if (reason.startsWith('Z_') || reason.startsWith('ERR_BROTLI')) {
    return `No answer: what the server compressed cannot be read (${reason}).`;
  }
  return `No answer: ${reason}.`;
}

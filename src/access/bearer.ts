// The token in an Authorization header. https://www.rfc-editor.org/rfc/rfc6750#section-2.1
import { Fault } from '../fault.ts';

/** @throws Fault unauthenticated */
export function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new Fault('unauthenticated', 'This needs an access token: Authorization: Bearer <token>.');
  }
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
  if (!token) throw new Fault('unauthenticated', 'The Authorization header is not `Bearer <token>`.');
  return token;
}

// Messages by e-mail. Nothing leaves this machine without TLS. Message-ID is the same for every attempt, so that a mail that
// arrives twice can be told.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Nodemailer from 'nodemailer';
import { isLoopback } from '../access/trustworthy-url.ts';
import type { Send } from './parts.ts';
import type { EmailSettings } from './settings.ts';

const TIMEOUT_MS = 20_000;

/** The library is loaded where messages go by e-mail, not by everybody. */
export function emailSender(settings: EmailSettings): Send {
  const { createTransport } = createRequire(import.meta.url)('nodemailer') as typeof Nodemailer;
  const { host, port, secure, user, password, from, caFile } = settings;
  const transport = createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && !isLoopback(host),
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    ...(caFile === undefined ? {} : { tls: { ca: readFileSync(caFile) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ id, address, subject, text }) => {
    try {
      await transport.sendMail({
        from,
        to: address,
        messageId: `<${id}@${from.split('@').at(-1)?.replace(/>$/, '') ?? 'baton'}>`,
        ...{ subject, text },
        headers: { 'auto-submitted': 'auto-generated' },
      });
    } catch (cause) {
      const { code, responseCode } = cause as { code?: string; responseCode?: number };
      throw new Error(`The mail server did not take it (${responseCode ?? code ?? 'unknown'}).`, { cause });
    }
  };
}

// The headers of a channel are secrets: they are sent and never shown again. The resource keeps their names; their values are
// kept apart, encrypted. https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.channel.header
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Subscription } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';

/** What stands for a value that is kept. */
export const KEPT = '****';

const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}): ?([\x20-\x7e]{1,4000})$/;
/** Decided by what is sent, not by who asks for it. */
const OURS = /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*)$/i;
const MOST = 20;

export interface SplitHeaders {
  /** As it may be stored and shown. */
  readonly shown: Subscription;
  /** As they are to be sent, `Name: value`. */
  readonly secret: readonly string[];
}

/**
 * @param kept what is known of before; a shown value stands for the kept one of the same name
 * @throws Fault unprocessable for what is no header, one that Baton writes itself, or a name that comes twice
 */
export function splitHeaders(subscription: Subscription, kept: readonly string[]): SplitHeaders {
  const { header } = subscription.channel ?? {};
  if (!Array.isArray(header)) return { shown: subscription, secret: [] };
  if (header.length > MOST) throw wrong('header', `There can be ${MOST} headers.`);
  const known = new Map(kept.map((line) => [nameOf(line).toLowerCase(), line]));
  const secret = header.map((line: unknown, at) => {
    const [, name = '', value] = HEADER.exec(String(line)) ?? [];
    if (name === '' || OURS.test(name)) throw wrong(`header[${at}]`, 'It is no header like Authorization: Bearer xyz.');
    const before = known.get(name.toLowerCase());
    if (value !== KEPT) return `${name}: ${value}`;
    if (before === undefined)
      throw wrong(`header[${at}]`, `No value is kept for this endpoint; send it instead of ${KEPT}.`);
    return before;
  });
  const names = secret.map((line) => nameOf(line).toLowerCase());
  const again = names.findIndex((name, at) => names.indexOf(name) < at);
  if (again >= 0) throw wrong(`header[${again}]`, 'Its name comes twice; put the values into one, with a comma.');
  const shown = {
    ...subscription,
    channel: { ...subscription.channel, header: secret.map((line) => `${nameOf(line)}: ${KEPT}`) },
  };
  return { shown, secret };
}

export function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => [nameOf(line), line.slice(line.indexOf(':') + 2)]));
}

const nameOf = (line: string) => line.slice(0, line.indexOf(':'));

export interface SecretBox {
  /** @param id of the Subscription, without which it does not open */
  close(lines: readonly string[], id: string): string;
  /** Undefined when it was closed with another key. */
  open(box: string, id: string): readonly string[] | undefined;
}

/** @param secret of this Baton, the same for all its processes */
export function createSecretBox(secret: string): SecretBox {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'headers of subscriptions', 32));
  return {
    close(lines, id) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(lines)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open(box, id) {
      const bytes = Buffer.from(box, 'base64');
      try {
        const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
        cipher.setAAD(Buffer.from(id)).setAuthTag(bytes.subarray(12, 28));
        return JSON.parse(Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString());
      } catch {
        return undefined;
      }
    },
  };
}

const wrong = (at: string, sentence: string) =>
  new Fault('unprocessable', sentence, { code: 'value', expression: `Subscription.channel.${at}` });

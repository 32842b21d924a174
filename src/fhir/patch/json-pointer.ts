// JSON Pointers, read strictly. https://www.rfc-editor.org/rfc/rfc6901
import { Fault } from '../../fault.ts';

/** What a pointer leads to: a member of an object or an item of an array; undefined for the whole document. */
export interface Spot {
  readonly holder: object;
  /** A number for an array; its length for the place after its last item. */
  readonly key: string | number;
}

const INDEX = /^(0|[1-9]\d{0,8})$/;
const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The unescaped reference tokens of a pointer.
 * @throws Fault unprocessable when it is no pointer, or reaches for what no JSON object has of its own
 */
export function parsePointer(pointer: unknown, where: string): string[] {
  if (typeof pointer !== 'string') throw refuse(`${where} must be a JSON Pointer such as "/name/0/family".`, where);
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw refuse(`The pointer ${pointer} must start with "/".`, where);
  if (/~(?![01])/.test(pointer)) throw refuse(`The pointer ${pointer} has a "~" that is neither ~0 nor ~1.`, where);
  const tokens = pointer.slice(1).split('/');
  const plain = tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (plain.some((token) => UNSAFE.has(token)))
    throw refuse(`The pointer ${pointer} leads out of the resource.`, where);
  return plain;
}

/**
 * The spot that tokens name; whether something is there is for the caller to say.
 * @throws Fault unprocessable when what should hold it is not there
 */
export function locateSpot(document: object, tokens: readonly string[], where: string): Spot {
  let holder = document;
  for (const token of tokens.slice(0, -1)) {
    const next = valueAt({ holder, key: keyIn(holder, token, where) });
    if (typeof next !== 'object' || next === null) throw refuse(`Nothing is at ${pointerOf(tokens)}.`, where);
    holder = next;
  }
  return { holder, key: keyIn(holder, tokens.at(-1) ?? '', where) };
}

/** Undefined when nothing is there. JSON has no undefined, so the answer is clear. */
export function valueAt({ holder, key }: Spot): unknown {
  return Object.hasOwn(holder, key) ? (holder as Record<string | number, unknown>)[key] : undefined;
}

/** Escaped again, for messages. */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** @throws Fault unprocessable for an index that is none or beyond the end */
function keyIn(holder: object, token: string, where: string): string | number {
  if (!Array.isArray(holder)) return token;
  if (token === '-') return holder.length;
  if (!INDEX.test(token)) throw refuse(`"${token}" is not an index of a list.`, where);
  if (Number(token) > holder.length)
    throw refuse(`The list has no place ${token}; it has ${holder.length} items.`, where);
  return Number(token);
}

export function refuse(message: string, expression: string): Fault {
  return new Fault('unprocessable', message, { expression });
}

// Checks of answers, so that a benchmark of errors cannot happen: the status and the first bytes of every answer, and the
// whole content of one in a hundred.
import type { Answer } from './connection.ts';

const DEEP_EVERY = 100;
let looked = 0;

export interface BundleSeen {
  readonly resourceType: string;
  readonly type: string;
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly resource?: { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown };
    readonly search?: { readonly mode: string };
    readonly response?: { readonly status: string };
  }[];
}

/** @throws Error when the status is another one */
export function expectStatus(answer: Answer, ...statuses: readonly number[]): void {
  if (statuses.includes(answer.status)) return;
  throw new Error(
    `status ${answer.status} instead of ${statuses.join(' or ')}: ${answer.body.toString('utf8', 0, 500)}`,
  );
}

/** @returns the id of the resource that was answered */
export function expectResource(answer: Answer, status: number, type: string): string {
  expectStatus(answer, status);
  const start = answer.body.toString('latin1', 0, 160);
  const [, answered, id] = /^\{"resourceType":"(\w+)","id":"([\w.-]+)"/.exec(start) ?? [];
  if (answered !== type || id === undefined) throw new Error(`not a ${type}: ${start}`);
  if (++looked % DEEP_EVERY === 0) {
    const resource = JSON.parse(answer.body.toString()) as { id?: string; meta?: { versionId?: string } };
    if (resource.id !== id || !resource.meta?.versionId) throw new Error(`a ${type} without id or version: ${start}`);
  }
  return id;
}

/**
 * A Bundle, looked into once in a hundred times.
 * @param check throws when the content is not what was asked for
 */
export function expectBundle(answer: Answer, type: string, check: (bundle: BundleSeen) => void): void {
  expectStatus(answer, 200);
  const start = answer.body.toString('latin1', 0, 40);
  if (!start.startsWith('{"resourceType":"Bundle"')) throw new Error(`not a Bundle: ${start}`);
  if (++looked % DEEP_EVERY === 1) checkBundle(answer, type, check);
}

/** The same, looked into each time. */
export function checkBundle(answer: Answer, type: string, check: (bundle: BundleSeen) => void): BundleSeen {
  expectStatus(answer, 200);
  const bundle = JSON.parse(answer.body.toString()) as BundleSeen;
  if (bundle.type !== type) throw new Error(`a Bundle of type ${bundle.type} instead of ${type}`);
  check(bundle);
  return bundle;
}

// The bare server's own workload: so many resources of a type per request.
import { expectStatus } from '../driver/checks.ts';
import type { Session } from '../driver/session.ts';
import type { BareLimit, Workload } from './workload.ts';

const NAME = /^bare (\w+) (\d+)$/;
/** Pages begin at the first rows of the type, so that there are always enough of them. */
const STARTS = 500;

export function bareWorkload(name: string): Workload | undefined {
  const [, type, count] = NAME.exec(name) ?? [];
  if (type === undefined || count === undefined) return undefined;
  return { name, what: name, connections: 64, script: { session: (_world, number) => ask(type, count, number) } };
}

export const bareName = ({ type, count }: Extract<BareLimit, { kind: 'read' }>) => `bare ${type} ${count}`;

function* ask(type: string, count: string, number: number): Session {
  for (let at = number; ; at++) {
    const answer = yield { method: 'GET', path: `/${type}/${count}/${at % STARTS}` };
    expectStatus(answer, 200);
    if (answer.body.length < Number(count) * 100)
      throw new Error(`only ${answer.body.length} bytes for ${count} resources`);
  }
}

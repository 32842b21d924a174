// Two connections to one server may share the work, by types or by patients. What both carry is linked, pulled and sent twice.
import type { Step } from './check-report.ts';
import { isSameServer } from './same-server.ts';
import type { Connection } from './settings.ts';

/** @param others that run beside it */
export function checkOthers(connection: Connection, others: readonly Connection[]): Step[] {
  const types = Object.keys(connection.types);
  return others
    .filter((other) => other.mode !== 'off' && isSameServer(connection, other.baseUrl))
    .flatMap((other): Step[] => {
      const both = types.filter((type) => other.types[type] !== undefined);
      if (both.length === 0) return [];
      const twice = `What both carry (${both.join(', ')}) is linked and exchanged twice, unless their patients differ.`;
      const sentence = `The connection "${other.name}" is to the same server. ${twice}`;
      return [{ step: 'settings', finding: 'note', sentence }];
    });
}

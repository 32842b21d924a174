// The tables of docs/status-machines.md, from the machines themselves. `npm run docs` writes them.
import type { AnyMachine } from '../src/fhir/status/machine.ts';
import { ALL_MACHINES } from '../src/fhir/status/machine-of.ts';
import { REFERRAL, SET_BY } from '../src/fhir/status/referral.ts';
import type { TaskStatus } from '../src/fhir/status/task.ts';

/** Markdown: a section for each machine, a row for each status. */
export function statusTables(): string {
  return ALL_MACHINES.map(section).join('\n\n');
}

function section(machine: AnyMachine): string {
  const type = machine.name.split(' ').at(-1);
  const isReferral = machine === REFERRAL;
  const rows = Object.entries(machine.successors).map(([from, next = []]) => {
    const cells = [`\`${from}\``, next.length === 0 ? 'nothing' : next.map((one) => `\`${one}\``).join(', ')];
    const sides = SET_BY[from as TaskStatus] ?? [];
    return isReferral ? [...cells, sides.length === 0 ? 'nobody' : sides.join(', ')] : cells;
  });
  const head = [`\`${type}.${machine.element}\``, 'may become', ...(isReferral ? ['set by'] : [])];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `### ${machine.name}\n<${machine.source}>\n\n${lines.join('\n')}`;
}

// All workloads, in the order they are measured: those that read first, because the others make the database grow.
import { bareWorkload } from './bare.ts';
import { CASE_WORKLOADS } from './cases.ts';
import { SINGLE } from './single.ts';
import { W1 } from './w1.ts';
import { W2 } from './w2.ts';
import { W3 } from './w3.ts';
import { W4 } from './w4.ts';
import { W5 } from './w5.ts';
import type { Workload } from './workload.ts';

const reads = ({ name }: Workload) => /^[RA] /.test(name);

export const WORKLOADS: readonly Workload[] = [
  ...SINGLE.filter(reads),
  ...W3,
  ...W5,
  ...SINGLE.filter((workload) => !reads(workload)),
  ...W1,
  ...W2,
  ...W4,
  ...CASE_WORKLOADS,
];

/** @throws Error when there is none of that name */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name) ?? bareWorkload(name);
  if (!found) throw new Error(`There is no workload ${name}.`);
  return found;
}

/** Those of a group (`W3`) or of one name (`W3 token`, also `w3-token`); all of them when nothing is asked for. */
export function chosen(asked: readonly string[]): readonly Workload[] {
  if (asked.length === 0) return WORKLOADS;
  const wanted = asked.map((each) => each.toLowerCase().replace(' ', '-'));
  const found = WORKLOADS.filter(({ name }) => {
    const [group = ''] = name.toLowerCase().split(' ');
    return wanted.includes(group) || wanted.includes(name.toLowerCase().replace(' ', '-'));
  });
  if (found.length === 0) throw new Error(`No workload is called ${asked.join(' or ')}.`);
  return found;
}

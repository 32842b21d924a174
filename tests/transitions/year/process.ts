// A Baton of the simulated year in a process of its own, told what to do by its parent.
import type { Command, Reply } from './node.ts';
import { openNode } from './node.ts';

export type Answer = { readonly id: number } & ({ readonly reply: Reply } | { readonly error: string });

if (process.argv[1] === import.meta.filename) {
  const node = await openNode(process.argv[2] ?? '');
  process.on('message', ({ id, command }: { id: number; command: Command }) => {
    node.do(command).then(
      (reply) => process.send?.({ id, reply } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: String(error) } satisfies Answer),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ id: 0, reply: {} } satisfies Answer);
}

// Row changes that stand or fall with a commit.
import { Fault } from '../fault.ts';
import type { Sql } from './sql.ts';
import type { Statement } from './store.ts';

/** @throws Fault conflict when a statement changes another number of rows than it says */
export async function applyStatements(tx: Sql, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) {
    const changed = await tx.run(statement.sql, statement.params);
    if (statement.rows === undefined || changed === statement.rows) continue;
    throw new Fault(
      'conflict',
      'A row that this commit depends on was changed by somebody else; nothing was written.',
      {
        context: { expectedRows: statement.rows, changedRows: changed },
      },
    );
  }
}

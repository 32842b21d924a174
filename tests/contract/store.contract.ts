// What every engine of the store must do. An engine's test file calls this with a way to open an empty store.
import { describe } from 'vitest';
import type { TempStore, TempStoreOptions } from '../support/temp-store.ts';
import { auditContract } from './audit.contract.ts';
import { concurrencyContract } from './concurrency.contract.ts';
import { conditionalContract } from './conditional.contract.ts';
import { historyContract } from './history.contract.ts';
import { interactionContract } from './interaction.contract.ts';
import { limitsContract } from './limits.contract.ts';
import { logContract } from './log.contract.ts';
import { modelContract } from './model.contract.ts';
import { patchContract } from './patch.contract.ts';
import { transactionContract } from './transaction.contract.ts';

export type OpenStoreForTest = (options?: TempStoreOptions) => Promise<TempStore>;

export function storeContract(engine: string, open: OpenStoreForTest): void {
  describe(`store on ${engine}`, () => {
    interactionContract(open);
    conditionalContract(open);
    patchContract(open);
    transactionContract(open);
    historyContract(open);
    limitsContract(open);
    logContract(open);
    auditContract(open);
    concurrencyContract(open);
    modelContract(open);
  });
}

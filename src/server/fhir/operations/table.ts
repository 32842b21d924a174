// Every operation that is answered. Adding one here is all it takes.
import { EVERYTHING } from './everything.ts';
import type { Operation } from './operation.ts';

export const OPERATIONS: readonly Operation[] = [EVERYTHING];

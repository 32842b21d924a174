// Programs that tests start find their modules compiled, as the `baton` command does (setupFiles). Baton itself runs without:
// it runs for long, and the cache would stay in its memory.
import { join } from 'node:path';

process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../node_modules/.cache/compiled');

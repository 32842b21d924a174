// Process entry: configuration, app, signals. Nothing else.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Later starts find the modules compiled; in the installation, because a folder for everybody could be written by anybody.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));
const { serve } = await import('./serve.ts');

await serve();

// Later starts find the modules compiled; in the installation, because a folder for everybody could be written by anybody.
// Only what is imported after this is: entries import the rest dynamically.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));

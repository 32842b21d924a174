// Process entry: configuration, app, signals. Nothing else. Without the cache of compiled modules that the command has: its
// 40 MB would stay in memory for as long as this process runs.
import { serve } from './serve.ts';

await serve();

// Process entry: configuration, app, signals. Nothing else.
import './compile-cache.ts';

const { serve } = await import('./serve.ts');

await serve();

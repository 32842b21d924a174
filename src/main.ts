// Process entry: configuration, app, signals. Nothing else.
import { serve } from './serve.ts';

await serve();

// The temporary folder of the run, for whatever asks for one (setupFiles).
import { inject } from 'vitest';

process.env.TMPDIR = inject('temporaryFolder');

// The `baton audit` commands: whether the trail is whole, and its newest seal for keeping elsewhere.
import { readFileSync } from 'node:fs';
import type { Trail } from './audit/trail.ts';
import { Fault } from './fault.ts';
import { UsageError } from './usage-error.ts';

export interface AuditCommandParts {
  readonly trail: Pick<Trail, 'verify' | 'seal' | 'newest'>;
  readonly print: (text: string) => void;
}

export interface AuditOptions {
  readonly from?: string | undefined;
}

export interface AuditCommand {
  readonly words: string;
  readonly does: string;
  /** False when the trail is broken. */
  run(parts: AuditCommandParts, options: AuditOptions): Promise<boolean>;
}

export const AUDIT_COMMANDS: readonly AuditCommand[] = [
  {
    words: 'audit verify',
    does: 'prove the audit trail, or say where it was tampered with   [--from FILE of seals kept elsewhere]',
    run: verify,
  },
  {
    words: 'audit seal',
    does: 'seal the audit trail now and print the newest seal, to be kept elsewhere',
    async run({ trail, print }) {
      await trail.seal();
      const seal = await trail.newest();
      if (seal === undefined) throw new Fault('not-found', 'There is nothing to seal yet.');
      print(seal);
      return true;
    },
  },
];

/** `from` names a file with a seal on each line, as `audit seal` prints them or as in audit-seals.jsonl. */
async function verify({ trail, print }: AuditCommandParts, { from }: AuditOptions): Promise<boolean> {
  const lines = from === undefined ? [] : readText(from).split('\n').filter(Boolean);
  const kept = lines.map((line) => (line.startsWith('{') ? String(JSON.parse(line).jws) : line.trim()));
  const { verified, seals, unsealed, reason } = await trail.verify(kept);
  print(`${verified} records and ${seals} seals verified; ${unsealed} records are not sealed yet`);
  if (kept.length > 0 && reason === undefined) print(`${kept.length} seals kept elsewhere agree`);
  if (reason === undefined) return true;
  print(`The audit trail is broken. ${reason}`);
  return false;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

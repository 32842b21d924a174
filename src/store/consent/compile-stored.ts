// Brings the rules of stored Consents up to date when the store is opened: after the migration that made their table, and
// whenever this Baton compiles Consents in another way than the one that wrote them. Until it is done nothing is read.
import type { Consent } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { consentPatient, consentRules, denyAll } from '../../fhir/consent/consent-rules.ts';
import type { PatientRules } from '../../fhir/consent/rule.ts';
import { parseExact } from '../../fhir/exact-json.ts';
import type { Engine, Transaction } from '../engine.ts';
import { putRules } from './rule-rows.ts';

/** Raise it when the same Consent makes other rules. */
export const CONSENT_RULES = 2;

const BATCH = 200;
const MARK = 'consent-rules';
const READ_MARK = `SELECT value FROM setting WHERE key = '${MARK}'`;
const WRITE_MARK = `INSERT INTO setting (key, value) VALUES ('${MARK}', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
const CONSENTS = `SELECT rid, content FROM resource WHERE type = 'Consent' AND deleted = 0 AND rid > ?
  ORDER BY rid LIMIT ${BATCH}`;

/** In one write transaction, so that two processes that start together do not mix, and a crash leaves it to be done. */
export async function compileStoredConsents(engine: Engine, baseUrl: string): Promise<void> {
  // Which references are local depends on the base.
  const mark = `${CONSENT_RULES} ${baseUrl}`;
  const [known] = await engine.reader.all(READ_MARK);
  if (known?.value === mark) return;
  await engine.write(async (tx) => {
    for (let last: number | undefined = 0; last !== undefined; ) last = await compileBatch(tx, last, baseUrl);
    await tx.run(WRITE_MARK, [mark]);
  });
}

/** Resolves to where the next batch begins, or undefined at the end. */
async function compileBatch(tx: Transaction, after: number, baseUrl: string): Promise<number | undefined> {
  const rows = await tx.all(CONSENTS, [after]);
  for (const row of rows) {
    const consent = parseExact<Consent>(String(row.content));
    await putRules(tx, Number(row.rid), rulesOfStored(consent, baseUrl), false);
  }
  return rows.length === BATCH ? Number(rows.at(-1)?.rid) : undefined;
}

/** One that would be refused today has been accepted: it keeps everything of its patient until somebody splits it. */
function rulesOfStored(consent: Consent, baseUrl: string): PatientRules | undefined {
  try {
    return consentRules(consent, baseUrl);
  } catch (error) {
    const patient = consentPatient(consent, baseUrl);
    if (error instanceof Fault && patient !== undefined) return denyAll(patient);
    throw error;
  }
}

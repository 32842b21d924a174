// Every message of the HL7 v2 corpus through the real store: each gets a proper acknowledgement, what is accepted has
// been validated by the commit, what is refused is listed with its reason.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { parseMessage } from '../../src/intake/er7/message.ts';
import { checkHeader } from '../../src/intake/header.ts';
import { readAdt } from '../../src/intake/map/adt.ts';
import { startReading } from '../../src/intake/map/reading.ts';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { FACILITIES, fieldsOf } from '../intake/fixture.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/corpus/hl7v2');
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.hl7')) : [];
if (files.length === 0) console.log(`skipped: no HL7 v2 corpus in ${FOLDER}`);

describe.skipIf(files.length === 0)('HL7 v2 corpus', () => {
  let temp: TempStore;
  let intake: Intake;
  const lines: string[] = [];
  beforeAll(async () => {
    temp = await openTempStore({ memory: true });
    const log = pino({ level: 'silent' });
    intake = createIntake({
      store: temp.store,
      clock: temp.clock,
      facilities: FACILITIES,
      parameters: testParameters,
      log,
    });
  });
  afterAll(async () => {
    await temp.cleanup();
    console.log(lines.join('\n'));
  });

  it.each(files)('%s', async (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    // All files share one control id; as separate messages of one sender they need their own.
    const own = text.replace(/^(MSH\|(?:[^|]*\|){8})[^|]*/, `$1${name.slice(0, 16)}`);
    const trigger = /\|ADT\^(A\d\d)/.exec(text)?.[1] ?? '';
    const { code, ack } = await intake.receive(new TextEncoder().encode(own), 'http');
    const error = fieldsOf(ack, 'ERR');
    lines.push(`${name}: ${code} ${error[3] ?? ''} ${error[2] ?? ''} ${error[8] ?? ''}`);
    expect(fieldsOf(ack, 'MSH')[9]).toBe(`ACK^${trigger}^ACK`);
    expect(fieldsOf(ack, 'MSA').slice(1)).toEqual([code, name.slice(0, 16)]);
    expect([code, error[8]]).toEqual(['AA', error[8]]);
  });

  it('gives valid resources from the segments of every message that names a visit, read as an update', () => {
    const { validate } = createValidator(loadDefinitions());
    let read = 0;
    for (const name of files) {
      const text = readFileSync(join(FOLDER, name), 'utf8').replace(/\|ADT\^A\d\d/, '|ADT^A08');
      const message = parseMessage(text);
      if (!message.segment('PV1')) continue;
      const { drafts } = readAdt(startReading(message, checkHeader(message), FACILITIES));
      expect(
        drafts.flatMap(({ resource }) => validate(resource).filter(({ severity }) => severity === 'error')),
      ).toEqual([]);
      read += 1;
    }
    expect(read).toBeGreaterThan(20);
  });
});

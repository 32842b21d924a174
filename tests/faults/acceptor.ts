// One of several processes that accept HL7 messages into one database, and apply them: prints its MLLP port, to be killed.
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { openDoor } from '../intake/door.ts';
import { testRules } from '../support/store-rules.ts';

const [url = ''] = process.argv.slice(2);
const store = await openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });
const door = await openDoor(store, systemClock());
door.intake.applying.start();
process.stdout.write(`${door.target.port}\n`);

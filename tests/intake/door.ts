// An intake with its MLLP door on a store, for senders of the facility COMMITS (enhanced mode), STORED and HARBOR.
import { pino } from 'pino';
import type { Clock } from '../../src/clock.ts';
import { startMllpServer } from '../../src/intake/mllp/server.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { readSender } from '../../src/intake/sender.ts';
import type { Store } from '../../src/store/store.ts';
import { testParameters } from '../support/store-rules.ts';
import { FACILITIES } from './fixture.ts';

const SENDERS = [
  { facility: 'COMMITS', standsFor: 'HARBOR', acknowledgement: 'enhanced' },
  { facility: 'STORED', standsFor: 'HARBOR', acknowledge: 'stored' },
];

export async function openDoor(store: Store, clock: Clock) {
  const log = pino({ level: 'silent' });
  const senders = SENDERS.map((sender) => readSender(sender, [], 'test.json'));
  const intake = createIntake({ store, clock, facilities: FACILITIES, senders, parameters: testParameters, log });
  const server = await startMllpServer({
    ...{ host: '127.0.0.1', port: 0, log },
    receive: (raw) => intake.receive(raw, 'mllp'),
    refuseTooLong: intake.refuseTooLong,
    keepCut: intake.keepCut,
  });
  return {
    intake,
    target: { host: '127.0.0.1', port: server.port },
    async close() {
      await server.close();
      await intake.applying.stop();
    },
  };
}

// Received messages: kept once, with their answer.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliveryStatement, findDelivery, recordDelivery } from '../../src/store/delivery.ts';
import { create, faultOf, NURSE, patient } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const message = {
  channel: 'hl7v2',
  key: 'HOSPITAL|42',
  received: 1_764_000_000_000,
  body: new Uint8Array([0x4d, 0x53, 0x48, 0x00, 0xff]),
  answer: 'MSA|AA|42',
  outcome: 'accepted',
};

describe('delivery', () => {
  let temp: TempStore;
  beforeEach(async () => {
    temp = await openTempStore();
  });
  afterEach(() => temp.cleanup());

  test('is kept with what it changed, byte for byte', async () => {
    expect(await findDelivery(temp.store, 'hl7v2', 'HOSPITAL|42')).toBeUndefined();
    await temp.store.commit(NURSE, [create(patient('1'))], [deliveryStatement(message)]);
    expect(await findDelivery(temp.store, 'hl7v2', 'HOSPITAL|42')).toEqual(message);
    expect(await findDelivery(temp.store, 'other', 'HOSPITAL|42')).toBeUndefined();
  });

  test('a second one with its key changes nothing', async () => {
    await temp.store.commit(NURSE, [create(patient('1'))], [deliveryStatement(message)]);
    const again = { ...message, answer: 'MSA|AE|42' };
    const repeated = temp.store.commit(NURSE, [create(patient('1'))], [deliveryStatement(again)]);
    expect((await faultOf(repeated)).kind).toBe('conflict');
    expect(await temp.store.head()).toBe(1);
    expect((await findDelivery(temp.store, 'hl7v2', 'HOSPITAL|42'))?.answer).toBe('MSA|AA|42');
  });

  test('can be kept without changes', async () => {
    await recordDelivery(temp.store, NURSE, { ...message, outcome: 'refused' });
    expect(await findDelivery(temp.store, 'hl7v2', 'HOSPITAL|42')).toMatchObject({ outcome: 'refused' });
    expect((await faultOf(recordDelivery(temp.store, NURSE, message))).kind).toBe('conflict');
  });
});

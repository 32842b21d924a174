// What a Consent says, as rules: the tree of provisions, their limits, and what happens to what is not understood.
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/fault.ts';
import { consentRules } from '../../../src/fhir/consent/consent-rules.ts';
import { ANY } from '../../../src/fhir/consent/rule.ts';
import { BEGINNING, END_OF_TIME } from '../../../src/fhir/search/date-range.ts';
import {
  actCode,
  action,
  actor,
  confidentiality,
  consent,
  purpose,
  resourceType,
  scope,
} from '../../support/consents.ts';

const BASE = 'https://baton.test/fhir/R4';
const DAY = (text: string) => Temporal.Instant.from(`${text}T00:00Z`).epochMilliseconds;

/** Each rule as `node<parent effect`, with `!` when a permit stands alone, and the limits that it has. */
function short(given: Consent): string[] | undefined {
  return consentRules(given, BASE)?.rules.map((rule) => {
    const { node, parent, effect, alone, label, from, until } = rule;
    const limits = [
      rule.actor === ANY ? '' : `by ${rule.actor}`,
      rule.purpose === ANY ? '' : `for ${rule.purpose}`,
      label.code === ANY ? '' : `labelled ${label.code}`,
      rule.class === ANY ? '' : `of ${rule.class}`,
      rule.data === ANY ? '' : `only ${rule.data}`,
      from === BEGINNING ? '' : `from ${day(from)}`,
      until === END_OF_TIME ? '' : `until ${day(until)}`,
    ];
    const bang = alone && effect === 'permit' ? '!' : '';
    return [`${node}<${parent} ${effect}${bang}`, ...limits.filter(Boolean)].join(' ');
  });
}

const day = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toString().slice(0, 10);
const deny = (more: ConsentProvision = {}): ConsentProvision => ({ type: 'deny', ...more });
const permit = (more: ConsentProvision = {}): ConsentProvision => ({ type: 'permit', ...more });
const within = (...provision: ConsentProvision[]): ConsentProvision => ({ provision });

const ORG = [actor('Organization/3')];
const DOCTOR = [actor('Practitioner/12')];

describe('base policy and exceptions', () => {
  const cases: [name: string, given: Consent, rules: string[]][] = [
    ['opt-in alone says nothing that is not so anyway', consent('OPTIN'), []],
    ['opt-out denies everybody everything', consent('OPTOUT'), ['0<-1 deny']],
    [
      'opt-out with an exception',
      consent('OPTOUTE', within(permit({ actor: ORG }))),
      ['0<-1 deny', '1<0 permit! by Organization/3'],
    ],
    [
      'a root with a type is an exception to the policy',
      consent('OPTOUT', permit({ actor: ORG })),
      ['0<-1 deny', '1<0 permit! by Organization/3'],
    ],
    ['opt-in with an exception', consent('OPTINR', within(deny({ actor: DOCTOR }))), ['1<0 deny by Practitioner/12']],
    ['opt-in, denied by a root with a type', consent('OPTIN', deny({ actor: ORG })), ['1<0 deny by Organization/3']],
    [
      'an unknown policy leaves the word to the provisions',
      consent(undefined, deny({ actor: ORG })),
      ['1<0 deny by Organization/3'],
    ],
    ['a permit with nothing to be an exception to makes no rule', consent('OPTIN', permit({ actor: ORG })), []],
    [
      'a root without a type limits the policy',
      consent('OPTOUT', { class: [resourceType('Observation')], provision: [permit({ actor: ORG })] }),
      ['0<-1 deny of Observation', '1<0 permit! by Organization/3 of Observation'],
    ],
    [
      'emergency only: emergency treatment is an exception',
      consent('EMRGONLY'),
      ['0<-1 deny', '1<0 permit for ETREAT'],
    ],
    [
      'three deep: each is an exception to the one around it and has its limits',
      consent(
        'OPTIN',
        within(
          deny({
            actor: ORG,
            provision: [
              permit({ class: [resourceType('Observation')], provision: [deny({ securityLabel: [actCode('HIV')] })] }),
            ],
          }),
        ),
      ),
      [
        '1<0 deny by Organization/3',
        '2<1 permit! by Organization/3 of Observation',
        '3<2 deny by Organization/3 labelled HIV of Observation',
      ],
    ],
    [
      'a nested rule without a type permits nothing',
      consent('OPTOUT', within({ actor: ORG })),
      ['0<-1 deny', '1<0 deny by Organization/3'],
    ],
    [
      'of the inner and the outer actor the inner one counts',
      consent('OPTIN', within(deny({ actor: ORG, provision: [permit({ actor: DOCTOR })] }))),
      ['1<0 deny by Organization/3', '2<1 permit by Practitioner/12'],
    ],
  ];
  test.each(cases)('%s', (_, given, rules) => expect(short(given)).toEqual(rules));
});

describe('limits', () => {
  const cases: [name: string, provision: ConsentProvision, rules: string[]][] = [
    [
      'alternatives multiply',
      deny({ actor: [...ORG, ...DOCTOR], purpose: [purpose('HMARKT'), purpose('HPAYMT')] }),
      [
        '1<0 deny by Organization/3 for HMARKT',
        '1<0 deny by Organization/3 for HPAYMT',
        '1<0 deny by Practitioner/12 for HMARKT',
        '1<0 deny by Practitioner/12 for HPAYMT',
      ],
    ],
    [
      'a label with those below it',
      deny({ securityLabel: [actCode('SUD')] }),
      ['SUD', 'ETHUD', 'OPIOIDUD'].map((code) => `1<0 deny labelled ${code}`),
    ],
    [
      'denying R denies V',
      deny({ securityLabel: [confidentiality('R')] }),
      ['1<0 deny labelled R', '1<0 deny labelled V'],
    ],
    [
      'a period in days includes the last',
      deny({ period: { start: '2026-01-01', end: '2026-01-31' } }),
      ['1<0 deny from 2026-01-01 until 2026-02-01'],
    ],
    [
      'periods along the path are intersected',
      deny({ period: { start: '2026-01' }, provision: [permit({ period: { end: '2026-03' } })] }),
      ['1<0 deny from 2026-01-01', '2<1 permit! from 2026-01-01 until 2026-04-01'],
    ],
    [
      'a period that can never be makes no rule',
      deny({ period: { start: '2026-02' }, provision: [permit({ period: { end: '2026-01' } })] }),
      ['1<0 deny from 2026-02-01'],
    ],
    [
      'a class outside of the one around it makes no rule',
      deny({ class: [resourceType('Observation')], provision: [permit({ class: [resourceType('Task')] })] }),
      ['1<0 deny of Observation'],
    ],
    [
      'an instance',
      deny({ data: [{ meaning: 'instance', reference: { reference: `${BASE}/Observation/7` } }] }),
      ['1<0 deny only Observation/7'],
    ],
    [
      'a version of a recipient is the recipient',
      deny({ actor: [actor('Organization/3/_history/2')] }),
      ['1<0 deny by Organization/3'],
    ],
    [
      'a recipient elsewhere is its URL',
      deny({ actor: [actor('https://ehr.test/Organization/9')] }),
      ['1<0 deny by https://ehr.test/Organization/9'],
    ],
    [
      'a recipient may have an identifier',
      deny({ actor: [{ ...actor(''), reference: { identifier: { system: 'urn:npi', value: '1' } } }] }),
      ['1<0 deny by urn:npi|1'],
    ],
    [
      'collecting and correcting are nothing that is withheld',
      deny({ action: [action('collect'), action('correct')], provision: [permit()] }),
      [],
    ],
    ['one action of disclosure is enough', deny({ action: [action('collect'), action('access')] }), ['1<0 deny']],
  ];
  test.each(cases)('%s', (_, provision, rules) => expect(short(consent('OPTIN', provision))).toEqual(rules));

  test('a permit of R permits what is less confidential', () => {
    const rules = short(consent('OPTOUT', within(permit({ securityLabel: [confidentiality('R')] }))));
    expect(rules).toEqual(['0<-1 deny', ...['U', 'L', 'M', 'N', 'R'].map((code) => `1<0 permit! labelled ${code}`)]);
  });

  test('a permit that names a label is a rule without anything that denies', () => {
    const rules = short(consent('OPTIN', permit({ actor: ORG, securityLabel: [actCode('42CFRPart2')] })));
    expect(rules).toEqual(['1<0 permit! by Organization/3 labelled 42CFRPart2']);
  });

  test('it releases nothing when the provision around it limits the same', () => {
    const inner = permit({ actor: DOCTOR, securityLabel: [actCode('42CFRPart2')] });
    expect(short(consent('OPTIN', within(permit({ actor: ORG, provision: [inner] }))))).toEqual([]);
  });
});

describe('what is not understood', () => {
  const UNKNOWN: [name: string, element: ConsentProvision][] = [
    ['code', { code: [{ text: 'test' }] }],
    ['dataPeriod', { dataPeriod: { start: '2026' } }],
    ['data that is related to something', { data: [{ meaning: 'related', reference: { reference: 'Encounter/1' } }] }],
    ['class of another system', { class: [{ system: 'urn:ietf:bcp:13', code: 'application/hl7-cda+xml' }] }],
    ['purpose of another system', { purpose: [{ system: 'urn:local', code: 'TREAT' }] }],
    ['label without a system', { securityLabel: [{ code: 'HIV' }] }],
    ['actor who is the author of the data', { actor: [actor('Practitioner/12', 'AUT')] }],
    [
      'actor in a role with text only',
      { actor: [{ role: { text: 'friend' }, reference: { reference: 'Practitioner/12' } }] },
    ],
    ['actor that is contained', { actor: [actor('#org')] }],
    ['actor by display only', { actor: [{ ...actor(''), reference: { display: 'the clinic' } }] }],
    ['action of another system', { action: [{ text: 'look' }] }],
    ['modifier extension', { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] } as ConsentProvision],
    ['period that is no date', { period: { start: 'soon' } }],
  ];
  test.each(UNKNOWN)('%s makes a deny wider', (_, element) => {
    expect(short(consent('OPTIN', deny(element)))).toEqual(['1<0 deny']);
  });
  test.each(UNKNOWN)('%s makes a permit void', (_, element) => {
    expect(short(consent('OPTOUT', permit(element)))).toEqual(['0<-1 deny']);
  });

  test('an alternative makes a deny wider, and is left out of a permit', () => {
    const some = { actor: [...ORG, actor('#org')] };
    expect(short(consent('OPTIN', deny(some)))).toEqual(['1<0 deny']);
    expect(short(consent('OPTOUT', permit(some)))).toEqual(['0<-1 deny', '1<0 permit! by Organization/3']);
  });

  test('a deny within a permit that is understood in part only is not narrowed by that part', () => {
    const inner = deny({ class: [resourceType('Condition')] });
    const classes = [resourceType('Observation'), { system: 'urn:profiles', code: 'lab' }];
    expect(short(consent('OPTIN', permit({ class: classes, provision: [inner] })))).toEqual(['2<1 deny of Condition']);
  });

  test('members of a group are not known: a deny of it is one of everybody', () => {
    expect(short(consent('OPTIN', deny({ actor: [actor('Group/1')] })))).toEqual(['1<0 deny']);
    expect(short(consent('OPTOUT', permit({ actor: [actor('Group/1')] })))).toEqual([
      '0<-1 deny',
      '1<0 permit! by Group/1',
    ]);
  });

  const WHOLE: [name: string, more: Partial<Consent>][] = [
    ['a scope that nobody knows', { scope: { text: 'sharing' } }],
    ['a modifier extension', { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }],
    ['implicit rules', { implicitRules: 'urn:rules' }],
  ];
  test.each(WHOLE)('%s makes all permits of the consent void', (_, more) => {
    expect(short(consent('OPTOUT', permit({ actor: ORG }), more))).toEqual(['0<-1 deny']);
  });
});

describe('which consents count', () => {
  const NONE: [name: string, more: Partial<Consent>][] = [
    ...(['draft', 'proposed', 'rejected', 'inactive', 'entered-in-error'] as const).map(
      (status): [string, Partial<Consent>] => [`status ${status}`, { status }],
    ),
    ...['adr', 'research', 'treatment'].map((code): [string, Partial<Consent>] => [
      `scope ${code}`,
      { scope: scope(code) },
    ]),
    ['a patient elsewhere', { patient: { reference: 'https://ehr.test/Patient/1' } }],
    ['a patient by identifier', { patient: { identifier: { system: 'urn:mrn', value: '1' } } }],
  ];
  test.each(NONE)('not one with %s', (_, more) => expect(short(consent('OPTOUT', undefined, more))).toBeUndefined());

  test('one that is about privacy among other things does', () => {
    const both = { coding: [...(scope('research').coding ?? []), ...(scope('patient-privacy').coding ?? [])] };
    expect(short(consent('OPTOUT', undefined, { scope: both }))).toEqual(['0<-1 deny']);
  });

  test('one about a patient by absolute URL does', () => {
    const found = consentRules(consent('OPTOUT', undefined, { patient: { reference: `${BASE}/Patient/p9` } }), BASE);
    expect(found?.patient).toBe('p9');
  });

  test('a period is compared by the millisecond', () => {
    const [rule] = consentRules(consent('OPTIN', deny({ period: { start: '2026-01-01' } })), BASE)?.rules ?? [];
    expect(rule?.from).toBe(DAY('2026-01-01'));
  });
});

test('more than 2,000 rules are refused as too costly', () => {
  const actors = Array.from({ length: 101 }, (_, i) => actor(`Practitioner/${i}`));
  const labels = Array.from({ length: 20 }, (_, i) => actCode(`L${i}`));
  const refused = () => consentRules(consent('OPTIN', deny({ actor: actors, securityLabel: labels })), BASE);
  expect(refused).toThrow(Fault);
  try {
    refused();
  } catch (error) {
    const [issue] = (error as Fault).issues;
    expect(issue).toMatchObject({ code: 'too-costly', expression: ['Consent.provision'] });
    expect((error as Fault).status).toBe(422);
  }
});

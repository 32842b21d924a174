// What kind of event an interaction of the trail is, in the codes of FHIR, DICOM and Baton; and which interactions a code
// stands for. https://hl7.org/fhir/R4/valueset-audit-event-type.html
import type { Coding } from '@medplum/fhirtypes';
import type { AuditTest } from '../store/audit-search.ts';
import { INTERACTION } from './systems.ts';

const AUDIT_EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
export const RESTFUL = 'http://hl7.org/fhir/restful-interaction';
export const DCM = 'http://dicom.nema.org/resources/ontology/DCM';

const REST: Coding = { system: AUDIT_EVENT_TYPE, code: 'rest', display: 'Restful Operation' };
const APPLICATION: Coding = { system: DCM, code: '110100', display: 'Application Activity' };

/** Interactions that are FHIR's own. */
const FHIR_INTERACTIONS = [
  ...['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'history-type', 'history-system', 'create'],
  ...['search-type', 'search-system', 'capabilities', 'transaction', 'batch'],
];

/** Interactions that DICOM has a code for: type and subtype. */
const OTHERS: Readonly<Record<string, readonly [type: Coding, subtype?: Coding]>> = {
  login: [
    { system: DCM, code: '110114', display: 'User Authentication' },
    { system: DCM, code: '110122', display: 'Login' },
  ],
  logout: [
    { system: DCM, code: '110114', display: 'User Authentication' },
    { system: DCM, code: '110123', display: 'Logout' },
  ],
  token: [
    { system: DCM, code: '110114', display: 'User Authentication' },
    { system: DCM, code: '110126', display: 'Node Authentication' },
  ],
  'break-glass': [
    { system: DCM, code: '110113', display: 'Security Alert' },
    { system: DCM, code: '110127', display: 'Emergency Override Started' },
  ],
  export: [{ system: DCM, code: '110106', display: 'Export' }],
};

/** Prefixes of restful interactions that are more than their FHIR code: operations, and exchanges with other servers. */
const OPERATION = '$';
const SYNC = 'sync-';

export function typeOf(interaction: string): Coding {
  const other = OTHERS[interaction];
  return other ? other[0] : isRest(interaction) ? REST : APPLICATION;
}

export function subtypesOf(interaction: string): Coding[] {
  const fhir = restCode(interaction);
  const dicom = OTHERS[interaction]?.[1];
  return [
    ...(fhir === undefined ? [] : [{ system: RESTFUL, code: fhir, display: fhir }]),
    ...(dicom === undefined ? [] : [dicom]),
    ...(fhir === interaction || dicom ? [] : [{ system: INTERACTION, code: interaction }]),
  ];
}

/** The records whose type has this code. */
export function testOfType(system: string | undefined, code: string): AuditTest {
  const none: AuditTest = { any: [] };
  if (code === 'rest') return system === undefined || system === AUDIT_EVENT_TYPE ? REST_TEST : none;
  if (system !== undefined && system !== DCM) return none;
  if (code === APPLICATION.code) {
    return { not: { any: [REST_TEST, { column: 'interaction', is: Object.keys(OTHERS) }] } };
  }
  const is = Object.keys(OTHERS).filter((name) => OTHERS[name]?.[0].code === code);
  return is.length === 0 ? none : { column: 'interaction', is };
}

/** The records one of whose subtypes has this code. */
export function testOfSubtype(system: string | undefined, code: string): AuditTest {
  const any: AuditTest[] = [];
  if ((system === undefined || system === RESTFUL) && FHIR_INTERACTIONS.includes(code)) {
    any.push({ column: 'interaction', is: [code, `${SYNC}${code}`] });
  }
  if ((system === undefined || system === RESTFUL) && code === 'operation') {
    any.push({ column: 'interaction', startsWith: OPERATION });
  }
  if (system === undefined || system === DCM) {
    const is = Object.keys(OTHERS).filter((name) => OTHERS[name]?.[1]?.code === code);
    if (is.length > 0) any.push({ column: 'interaction', is });
  }
  if ((system === undefined || system === INTERACTION) && !FHIR_INTERACTIONS.includes(code)) {
    any.push({ column: 'interaction', is: [code] });
  }
  return { any };
}

const REST_TEST: AuditTest = {
  any: [
    { column: 'interaction', is: FHIR_INTERACTIONS },
    { column: 'interaction', startsWith: OPERATION },
    { column: 'interaction', startsWith: SYNC },
  ],
};

export const isSync = (interaction: string) => interaction.startsWith(SYNC);

const isRest = (interaction: string) => restCode(interaction) !== undefined || isSync(interaction);

function restCode(interaction: string): string | undefined {
  if (interaction.startsWith(OPERATION)) return 'operation';
  const code = isSync(interaction) ? interaction.slice(SYNC.length) : interaction;
  return FHIR_INTERACTIONS.includes(code) ? code : undefined;
}

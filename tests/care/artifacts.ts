// What profiles/ holds, read once for the tests of care.
import { join } from 'node:path';
import { type BusinessCalendar, loadCalendars } from '../../src/care/business-calendar.ts';
import { loadProfiles, ofType } from '../../src/care/profiles.ts';
import { createComorbidityTable } from '../../src/care/transition/comorbidity.ts';
import { createAcuityReader, createDestinationReader } from '../../src/care/transition/discharge.ts';
import { readProtocols } from '../../src/care/transition/protocol.ts';
import { loadRiskMethods } from '../../src/care/transition/risk-method.ts';

const folder = join(import.meta.dirname, '../../profiles');

export const artifacts = loadProfiles(folder);
export const calendars = loadCalendars(join(folder, 'calendars'));
export const usFederal = calendars.get('us-federal') as BusinessCalendar;
export const riskMethods = loadRiskMethods(join(folder, 'risk-methods'));
export const riskRules = {
  methods: riskMethods,
  comorbidities: createComorbidityTable(ofType(artifacts, 'CodeSystem')),
  isAcute: createAcuityReader(ofType(artifacts, 'ValueSet')),
};
export const destinationOf = createDestinationReader(ofType(artifacts, 'ConceptMap'));
export const protocols = readProtocols(ofType(artifacts, 'PlanDefinition'), ofType(artifacts, 'ActivityDefinition'));

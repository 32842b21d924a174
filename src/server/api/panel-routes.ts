// Panels: who is on them and why; enrol and decline.
import Type from 'typebox';
import { OpenCase } from '../../care/cases/case-schema.ts';
import { openOutreach, viewOutreach } from '../../care/outreach/open-outreach.ts';
import { OpenOutreach, OutreachView } from '../../care/outreach/outreach-schema.ts';
import { declineMember, enrolMember } from '../../care/panels/answer-panel.ts';
import { DeclineMember, MemberView, PanelList, PanelQuery, PanelView } from '../../care/panels/panel-schema.ts';
import { listPanels, panelNamed, viewMember, viewPanel } from '../../care/panels/panel-view.ts';
import { openCaseOnPathway } from '../../care/pathways/open-case-on-pathway.ts';
import { type ApiRoute, command, query } from './route.ts';

const tag = 'Panels';

const EnrolMember = Type.Omit(OpenCase, ['patient']);

export const PANEL_ROUTES: readonly ApiRoute[] = [
  query({
    path: '/panels',
    name: 'panel-list',
    summary: 'List panels with how many are on them',
    tag,
    reads: ['Group'],
    answer: PanelList,
    run: ({ records, panels }) => listPanels(panels, records),
  }),
  query({
    path: '/panels/:id',
    name: 'panel-read',
    summary: 'Read a panel: whom it is for, and who is on it, with tier, since when and why',
    tag,
    reads: ['Group'],
    query: PanelQuery,
    answer: PanelView,
    run: ({ records, panels, params, query: criteria }) => viewPanel(panels, records, params.id, criteria),
  }),
  command({
    method: 'POST',
    path: '/panels/:id/members/:patient/enrol',
    name: 'panel-enrol',
    summary: 'Open a case for a patient on the panel',
    description: 'Takes what opening a case takes, but the patient. The programme is the panel when none is named.',
    tag,
    reads: ['Group', 'EpisodeOfCare', 'Patient'],
    body: EnrolMember,
    answer: MemberView,
    examples: { body: { careManager: { reference: 'Practitioner/7' }, priority: 'urgent' } },
    plan: ({ records, caller, panels, pathways, params, body }) =>
      enrolMember(records, caller, { panel: panelNamed(panels, params.id), patient: params.patient }, (given) =>
        openCaseOnPathway({ records, caller, pathways }, { ...given, ...body }),
      ),
    view: ({ records, panels, params }) => viewMember(panelNamed(panels, params.id), records, params.patient),
  }),
  command({
    method: 'POST',
    path: '/panels/:id/members/:patient/decline',
    name: 'panel-decline',
    summary: 'Keep a patient off the panel until a day',
    tag,
    reads: ['Group', 'Patient'],
    body: DeclineMember,
    answer: MemberView,
    examples: { body: { reason: { text: 'Prefers to be called by the clinic' }, until: '2027-05-31' } },
    plan: ({ records, caller, panels, params, body }) =>
      declineMember(records, caller, { panel: panelNamed(panels, params.id), patient: params.patient }, body),
    view: ({ records, panels, params }) => viewMember(panelNamed(panels, params.id), records, params.patient),
  }),
  command({
    method: 'POST',
    path: '/panels/:id/outreach',
    name: 'panel-outreach',
    summary: 'Open an outreach for each member of the panel who has none in the campaign',
    description:
      'A page of the members in one transaction: go on with `next` as `after` until there is none. Who has an outreach of the campaign, done or not, gets no other.',
    tag,
    reads: ['Group', 'Patient', 'Task'],
    body: OpenOutreach,
    answer: OutreachView,
    examples: {
      body: {
        campaign: 'flu-2026',
        reason: { text: 'No influenza vaccination this season' },
        description: 'Offer an appointment for the vaccination',
        due: '2027-01-15',
        owner: { reference: 'Practitioner/7' },
      },
    },
    plan: ({ records, caller, panels, params, body }) =>
      openOutreach(records, caller, panelNamed(panels, params.id), body),
    view: ({ records, panels, params, body }) => viewOutreach(records, panelNamed(panels, params.id), body),
  }),
];

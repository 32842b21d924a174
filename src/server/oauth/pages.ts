// The pages of a sign-in: who are you, which patient, do you allow it. They work without scripts.
import type { EncounterChoice, PatientChoice } from '../../access/oauth/patient-directory.ts';
import { html } from './html.ts';
import { type Page, pageOf } from './page.ts';
import { wordsFor } from './scope-words.ts';

/** What every page of one sign-in has in common. */
export interface Frame {
  /** Address of the sign-in; its forms go below it. */
  readonly action: string;
  /** Name of the application. */
  readonly application: string;
  /** Origins that the application's answer may go to. */
  readonly formTargets: readonly string[];
}

/** @param told what went wrong with the attempt before */
export function loginPage({ action, application, formTargets }: Frame, told?: string): Page {
  const alert = html`<p class="alert" role="alert">${told ?? ''}</p>`;
  const body = html`<h1>Sign in to go on to ${application}</h1>
${told !== undefined && alert}
<form method="post" action="${action}/login">
<label for="username">User name</label>
<input type="text" id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input type="password" id="password" name="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>
${cancel(action)}`;
  return pageOf('Sign in', body, formTargets);
}

export interface Found {
  readonly text: string;
  readonly patients: readonly PatientChoice[];
  readonly more: boolean;
}

/** @param found undefined before the first search */
export function patientPage({ action, application, formTargets }: Frame, found: Found | undefined): Page {
  const rows = found?.patients.map(
    ({
      id,
      name,
      birthDate,
      identifier,
    }) => html`<li><button class="row" type="submit" name="patient" value="${id}">${name}${
      birthDate !== undefined && html`, born ${birthDate}`
    }${identifier !== undefined && html`, ${identifier}`}</button></li>
`,
  );
  const none = html`<p role="status">No patient was found for "${found?.text}".</p>`;
  const more = html`<p role="status">There are more. Type more of the name, or an identifier.</p>`;
  const body = html`<h1>Choose a patient for ${application}</h1>
<form method="post" action="${action}/context">
<label for="text">Name or identifier</label>
<input type="search" id="text" name="text" value="${found?.text}" autocomplete="off" required autofocus>
<button type="submit">Search</button>
</form>
<form method="post" action="${action}/context">
<ul>${rows}</ul>
</form>
${found !== undefined && found.patients.length === 0 && !found.more && none}
${found?.more && more}
${cancel(action)}`;
  return pageOf('Choose a patient', body, formTargets);
}

export function encounterPage(
  { action, application, formTargets }: Frame,
  patient: PatientChoice,
  encounters: readonly EncounterChoice[],
): Page {
  const rows = encounters.map(
    ({ id, text }) => html`<li><button class="row" type="submit" name="encounter" value="${id}">${text}</button></li>
`,
  );
  const body = html`<h1>Choose an encounter of ${patient.name} for ${application}</h1>
<form method="post" action="${action}/context">
<input type="hidden" name="patient" value="${patient.id}">
<ul>${rows}</ul>
<button class="plain" type="submit" name="encounter" value="">No particular encounter</button>
</form>
${cancel(action)}`;
  return pageOf('Choose an encounter', body, formTargets);
}

/** @param patient name of the patient in context */
export function consentPage(
  { action, application, formTargets }: Frame,
  user: string,
  scope: readonly string[],
  patient: string | undefined,
): Page {
  const rows = wordsFor(scope, patient).map(
    (words) => html`<li>${words}</li>
`,
  );
  const body = html`<h1>Do you allow ${application} to do this?</h1>
<p>You are signed in as ${user}.${patient !== undefined && html` The patient is ${patient}.`}</p>
<ul>${rows}</ul>
<form method="post" action="${action}/consent">
<button type="submit" name="decision" value="allow">Allow</button>
<button class="plain" type="submit" name="decision" value="deny">Do not allow</button>
</form>`;
  return pageOf('Allow access', body, formTargets);
}

/** @param sentence for a person; nothing of the request is in it */
export function errorPage(sentence: string, code?: string): Page {
  const body = html`<h1>This cannot go on</h1>
<p class="alert" role="alert">${sentence}</p>
${code !== undefined && html`<p class="small">Error code: ${code}</p>`}
<p>Go back to the application and begin again.</p>`;
  return pageOf('Error', body);
}

const cancel = (action: string) => html`<form method="post" action="${action}/cancel">
<button class="plain" type="submit">Cancel</button>
</form>`;

// The XHTML rules for narratives.
import { describe, expect, test } from 'vitest';
import { narrativeProblem } from '../../../src/fhir/fhirpath/narrative.ts';

const div = (inner: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`;

describe('narrative', () => {
  test.each([
    div('text'),
    div('<p>one<br/>two</p><!-- note --><table><tr><td style="color: red">x</td></tr></table>'),
    div('<img src="#pic" alt="x"/>'),
    div('<a href="StructureDefinition-x.html#Patient.extension:race">x</a>'),
    div('<img src="data:image/png;base64,AAAA" alt="x"/>'),
    div('a &lt; b &amp; c'),
  ])('accepts %s', (xhtml) => expect(narrativeProblem(xhtml)).toBeUndefined());

  test.each([
    ['plain', 'single div'],
    [div(' '), 'no content'],
    [div('<script>alert(1)</script>'), 'script is not allowed'],
    [div('<p onclick="x()">a</p>'), 'onclick is not allowed'],
    [div('<a href=" javascript:alert(1)">a</a>'), 'run code'],
    [div('<iframe src="x"/>'), 'iframe is not allowed'],
    [div('<p>a'), 'closed'],
    [`${div('a')}<div>b</div>`, 'single div'],
    [div('<p class=x>a</p>'), 'well-formed'],
  ])('refuses %s', (xhtml, reason) => expect(narrativeProblem(xhtml)).toContain(reason));

  test('hostile input is read once', () => {
    expect(narrativeProblem(`<div${' '.repeat(200_000)}`)).toBeDefined();
    expect(narrativeProblem(div('<p>'.repeat(100_000)))).toBeDefined();
    expect(narrativeProblem(div('<!--'.repeat(100_000)))).toBeDefined();
  });
});

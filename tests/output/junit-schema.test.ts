/** That the check of JUnit reports finds what the schema does not allow: else it would prove nothing about them. */
import { expect, test } from "bun:test";
import { breaches } from "../support/junit-schema.ts";
import { parseXml } from "../support/xml.ts";

const DOCUMENT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="2" failures="1" errors="0" time="1,234.5">
  <testsuite name="s" tests="2" failures="1" errors="0" skipped="0" time="" timestamp="" hostname="h" id="1">
    <properties><property name="a" value="b"/></properties>
    <testcase name="c" classname="k" time="soon" group="g">
      <system-out>printed</system-out>
      <failure type="t" message="m">text</failure>
      <rerunFailure type="t">text<stackTrace>at</stackTrace><system-out>o</system-out></rerunFailure>
      <rerunFailure type="t" message="m"><system-err>e</system-err></rerunFailure>
    </testcase>
    <testcase name="d"/>
    <system-err>too</system-err>
  </testsuite>
</testsuites>
`;

test("what the schema allows is no breach", () => {
  expect(breaches(parseXml(DOCUMENT))).toEqual([]);
});

test.each([
  ['<testcase name="d"/>', "<testcase/>", "<testcase> without name"],
  ['name="s" tests="2"', 'name="s"', "<testsuite> without tests"],
  ['errors="0" skipped', "skipped", "<testsuite> without errors"],
  ['<rerunFailure type="t">', "<rerunFailure>", "<rerunFailure> without type"],
  [' value="b"', "", "<property> without value"],
  ['group="g"', 'status="run"', "<testcase> with status"],
  ['failures="1" errors="0" time=', 'failures="1" errors="0" skipped="0" time=', "<testsuites> with skipped"],
  ["<system-out>printed", '<system-out type="t">printed', "<system-out> with type"],
  ['time="1,234.5"', 'time="-1.5"', "<testsuites> takes -1.5"],
  ['time="1,234.5"', 'time="1e3"', "<testsuites> takes 1e3"],
  ['time="1,234.5"', 'time="1,23.5"', "<testsuites> takes 1,23.5"],
  ['time="" ', 'time="1s" ', "<testsuite> takes 1s"],
  ['<testcase name="d"/>', "<failure/>", "<failure> in <testsuite>"],
  ["text<stackTrace>", "text<failure/><stackTrace>", "<failure> in <rerunFailure>"],
  [">printed<", "><property/><", "<property> in <system-out>"],
  [
    "at</stackTrace><system-out>o</system-out>",
    "at</stackTrace><stackTrace/>",
    "<stackTrace> out of order in <rerunFailure>",
  ],
  ["<system-err>e</system-err>", "<system-err/><system-out/>", "<system-out> out of order in <rerunFailure>"],
  ['<testcase name="d"/>', "stray", "text in <testsuite>: stray"],
  ["<properties>", "<properties>stray", "text in <properties>: stray"],
  ['<testcase name="d"/>', '<testcase name="d"><skip/></testcase>', "<skip> is not known"],
])("%p as %p is one", (before, after, breach) => {
  expect(DOCUMENT).toContain(before);
  expect(breaches(parseXml(DOCUMENT.replace(before, after)))).toContain(breach);
});

test.each([
  ["printed", "]]>"],
  ["printed", "&"],
  ["printed", "<b"],
  ["printed", "\u0001"],
  ["printed", "\uffff"],
  ['group="g"', 'name="c"'],
  ["</testsuite>", ""],
])("%p as %p is no XML", (before, after) => {
  expect(() => parseXml(DOCUMENT.replace(before, after))).toThrow();
});

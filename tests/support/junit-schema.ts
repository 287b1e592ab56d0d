/**
 * What the common schema of JUnit files allows: `junit-10.xsd` of Jenkins' xunit plugin, told in our own words element by
 * element. https://github.com/jenkinsci/xunit-plugin, in src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd
 */
import type { XmlElement } from "./xml.ts";

interface Shape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** What it may hold. */
  readonly children: readonly string[];
  /** Whether that comes in this order, once each; else in any order, as often as one likes. */
  readonly isSequence: boolean;
  /** Whether it holds text as well. */
  readonly text: boolean;
}

const EMPTY: Shape = { required: [], optional: [], children: [], isSequence: false, text: false };
const TEXT: Shape = { ...EMPTY, text: true };
const VERDICT: Shape = { ...TEXT, optional: ["type", "message"] };
const RERUN: Shape = {
  ...{ required: ["type"], optional: ["message"] },
  ...{ children: ["stackTrace", "system-out", "system-err"], isSequence: true, text: true },
};
const COUNTS = ["tests", "failures", "errors"];

const SHAPES: Readonly<Record<string, Shape>> = {
  testsuites: { ...EMPTY, optional: ["name", "time", ...COUNTS], children: ["testsuite"] },
  testsuite: {
    ...EMPTY,
    required: ["name", ...COUNTS],
    optional: ["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
    children: ["testsuite", "properties", "testcase", "system-out", "system-err"],
  },
  testcase: {
    ...{ ...EMPTY, required: ["name"], optional: ["time", "classname", "group"] },
    children: [
      ...["skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError"],
      ...["system-out", "system-err"],
    ],
  },
  properties: { ...EMPTY, children: ["property"] },
  property: { ...EMPTY, required: ["name", "value"] },
  ...{ skipped: VERDICT, error: VERDICT, failure: VERDICT },
  ...{ rerunFailure: RERUN, rerunError: RERUN, flakyFailure: RERUN, flakyError: RERUN },
  ...{ "system-out": TEXT, "system-err": TEXT, stackTrace: TEXT },
};

/** Seconds, which may have commas before each three digits: of suites. That of a case is any text. */
const SECONDS = /^(?:[0-9,]*,[0-9]{3,}|[0-9]*)(?:\.[0-9]*)?$/;
const IN_SECONDS = ["testsuites", "testsuite"];

/** What in it the schema does not allow. */
export function breaches(element: XmlElement): string[] {
  const { name, attributes, children, text } = element;
  const shape = SHAPES[name];
  if (!shape) return [`<${name}> is not known`];
  const known = [...shape.required, ...shape.optional];
  const { time = "" } = attributes;
  return [
    ...shape.required.filter((one) => attributes[one] === undefined).map((one) => `<${name}> without ${one}`),
    ...Object.keys(attributes)
      .filter((one) => !known.includes(one))
      .map((one) => `<${name}> with ${one}`),
    ...(IN_SECONDS.includes(name) && !SECONDS.test(time) ? [`<${name}> takes ${time}`] : []),
    ...children.filter((child) => !shape.children.includes(child.name)).map((child) => `<${child.name}> in <${name}>`),
    ...(shape.isSequence ? disorder(element, shape.children) : []),
    ...(shape.text || text.trim() === "" ? [] : [`text in <${name}>: ${text.trim()}`]),
    ...children.flatMap(breaches),
  ];
}

/** Children that come too late, or again. */
function disorder({ name, children }: XmlElement, order: readonly string[]): string[] {
  const places = children.map((child) => order.indexOf(child.name));
  return children
    .filter((_, i) => i > 0 && (places[i] ?? 0) <= (places[i - 1] ?? 0))
    .map((child) => `<${child.name}> out of order in <${name}>`);
}

/** What the schema of Jenkins' xunit plugin (junit-10.xsd) allows of what we write, element by element. */
import type { XmlElement } from "./xml.ts";

interface Shape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly children: readonly string[];
  /** Whether it holds text beside its children. */
  readonly text: boolean;
}

const RERUN: Shape = { required: ["type"], optional: ["message"], children: ["system-out", "system-err"], text: true };
const SHAPES: Readonly<Record<string, Shape>> = {
  testsuites: {
    ...{ required: [], optional: ["name", "time", "tests", "failures", "errors"] },
    ...{ children: ["testsuite"], text: false },
  },
  testsuite: {
    required: ["name", "tests", "failures", "errors"],
    optional: ["time", "skipped", "timestamp"],
    ...{ children: ["testcase"], text: false },
  },
  testcase: {
    ...{ required: ["name"], optional: ["time", "classname"] },
    children: ["skipped", "failure", "rerunFailure", "flakyFailure", "system-out", "system-err"],
    text: false,
  },
  failure: { required: [], optional: ["type", "message"], children: [], text: true },
  skipped: { required: [], optional: ["type", "message"], children: [], text: true },
  rerunFailure: RERUN,
  flakyFailure: RERUN,
  "system-err": { required: [], optional: [], children: [], text: true },
  "system-out": { required: [], optional: [], children: [], text: true },
};
const TIME = /^\d+\.\d+$/;

/** What in it the schema does not allow. */
export function breaches(element: XmlElement): string[] {
  const { name, attributes, children, text } = element;
  const shape = SHAPES[name];
  if (!shape) return [`<${name}> is not known`];
  const known = [...shape.required, ...shape.optional];
  return [
    ...shape.required.filter((one) => attributes[one] === undefined).map((one) => `<${name}> without ${one}`),
    ...Object.keys(attributes)
      .filter((one) => !known.includes(one))
      .map((one) => `<${name}> with ${one}`),
    ...(attributes.time !== undefined && !TIME.test(attributes.time) ? [`<${name}> takes ${attributes.time}`] : []),
    ...children.filter((child) => !shape.children.includes(child.name)).map((child) => `<${child.name}> in <${name}>`),
    ...(shape.text || text.trim() === "" ? [] : [`text in <${name}>: ${text.trim()}`]),
    ...children.flatMap(breaches),
  ];
}

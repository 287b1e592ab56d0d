/** The published schema of what `--json` prints, read more strictly than it is published: nothing may come that it does not name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";

interface Node {
  readonly $defs: Readonly<Record<string, Node>>;
  readonly properties: Readonly<Record<string, Node>>;
  readonly enum: readonly unknown[];
  readonly minimum: number;
  readonly maximum: number;
  readonly anyOf: readonly { readonly $ref: string }[];
}

const PATH = join(import.meta.dir, "..", "..", "docs", "schema", "documents.json");
export const SCHEMA = JSON.parse(readFileSync(PATH, "utf8")) as Node;
/** The definitions of what is printed, apart from their parts. */
export const DOCUMENTS = SCHEMA.anyOf.map(({ $ref }) => $ref.replace("#/$defs/", ""));

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
ajv.addSchema(closed(SCHEMA), "documents");

/** What is wrong with a document of this kind; empty when it is right. */
export function errorsOf(kind: string, document: unknown): string[] {
  const validate = ajv.getSchema(`documents#/$defs/${kind}`);
  if (!validate) throw new Error(`there is no schema for ${kind}`);
  return validate(document) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

/** The same, but that no field is allowed that is not named. */
function closed(schema: unknown): object {
  return JSON.parse(
    JSON.stringify(schema, (_, node) => {
      const isRecord = node?.type === "object" && node.properties && !node.additionalProperties;
      return isRecord ? { ...node, additionalProperties: false } : node;
    }),
  ) as object;
}

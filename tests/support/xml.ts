/** Reads XML as strictly as we need to trust what we wrote: one root, what is opened is closed, nothing raw that must be escaped. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own, entities resolved. */
  readonly text: string;
}

type Growing = { name: string; attributes: Record<string, string>; children: Growing[]; text: string };

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const TOKEN = /<\/([A-Za-z-]+)>|<([A-Za-z-]+)((?: [A-Za-z-]+="[^"<]*")*)(\/?)>|([^<]+)/y;
/** https://www.w3.org/TR/xml/#charsets */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };

/** Throws for what is no such document. */
export function parseXml(document: string): XmlElement {
  if (!document.startsWith(DECLARATION)) throw new Error("It does not begin as XML.");
  if (NOT_XML.test(document)) throw new Error("It holds a character that XML may not hold.");
  const root: Growing = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  TOKEN.lastIndex = DECLARATION.length;
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex;
    const [found, closed, opened, attributes = "", isEmpty, text] = TOKEN.exec(document) ?? [];
    const parent = open.at(-1);
    if (found === undefined || parent === undefined)
      throw new Error(`Not XML at ${at}: ${document.slice(at, at + 40)}`);
    if (text?.includes("]]>")) throw new Error("Text may not hold ]]>.");
    if (text !== undefined) parent.text += unescaped(text);
    else if (closed !== undefined) {
      if (open.pop()?.name !== closed) throw new Error(`</${closed}> closes something else.`);
    } else if (opened !== undefined) {
      const element: Growing = { name: opened, attributes: attributesIn(attributes), children: [], text: "" };
      parent.children.push(element);
      if (!isEmpty) open.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (!only || others.length > 0 || open.length !== 1 || root.text.trim() !== "")
    throw new Error("It has no single root.");
  return only;
}

function attributesIn(text: string): Record<string, string> {
  const pairs = Array.from(text.matchAll(/ ([A-Za-z-]+)="([^"]*)"/g), ([, name = "", value = ""]) => {
    return [name, unescaped(value)] as const;
  });
  const attributes = Object.fromEntries(pairs);
  if (Object.keys(attributes).length < pairs.length) throw new Error(`An attribute stands there twice:${text}`);
  return attributes;
}

function unescaped(text: string): string {
  return text.replaceAll(/&(\w*);?/g, (_, name: string) => {
    const character = ENTITIES[name];
    if (character === undefined) throw new Error(`No entity: &${name}`);
    return character;
  });
}

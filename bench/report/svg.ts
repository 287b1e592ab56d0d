/** The little of SVG that a chart is made of. */

type Attributes = Readonly<Record<string, string | number>>;

/** Numbers to a tenth of a pixel, text escaped. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(shown(value))}"`);
  return content.length === 0
    ? `<${name}${words.join("")}/>`
    : `<${name}${words.join("")}>${content.join("")}</${name}>`;
}

export function text(x: number, y: number, words: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeText(words));
}

export function line(from: readonly [number, number], to: readonly [number, number], attributes: Attributes): string {
  return element("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], ...attributes });
}

export function escapeText(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function shown(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 10) / 10) : value;
}

/** The findings of a benchmark as a picture: SVG that is readable on a light page and on a dark one. */
import type { ChartPlan, Finding } from "../benchmark.ts";
import { COLOURS, drawPanel } from "./panel.ts";
import { plotted } from "./plotted.ts";
import { element, escapeText, text } from "./svg.ts";

const WIDTH = 760;
const TITLE_HEIGHT = 56;

/** What each part looks like by day and by night. The page's own colours cannot be seen from here, so it brings a ground. */
const THEMES = {
  light: {
    ground: "#ffffff",
    words: "#1f2328",
    quiet: "#59636e",
    grid: "#d1d9e0",
    series: ["#0969da", "#818b98", "#1b7c83", "#bc4c00", "#8250df", "#1a7f37", "#bf3989", "#9a6700"],
  },
  dark: {
    ground: "#0d1117",
    words: "#f0f6fc",
    quiet: "#9198a1",
    grid: "#3d444d",
    series: ["#4493f8", "#8b949e", "#39c5cf", "#f0883e", "#bc8cff", "#3fb950", "#f778ba", "#d29922"],
  },
} as const;
type Theme = (typeof THEMES)[keyof typeof THEMES];

/** Undefined when nothing was found that could be drawn. `caption` says on what it was measured. */
export function drawChart(plan: ChartPlan, findings: readonly Finding[], caption: string): string | undefined {
  let top = TITLE_HEIGHT;
  // One series has one colour, in whichever panel it is.
  const colours = new Map<string, number>();
  const panels = plan.panels.flatMap((panel, i) => {
    const shown = plotted(findings, { name: panel.name, isFirst: i === 0 });
    if (shown.places.length === 0) return [];
    for (const name of shown.series.keys()) if (!colours.has(name)) colours.set(name, colours.size);
    const { svg, height } = drawPanel(panel, shown, { width: WIDTH, top, colours });
    top += height + 8;
    return [svg];
  });
  if (panels.length === 0) return undefined;
  const drawn = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${WIDTH} ${Math.ceil(top)}`,
      width: WIDTH,
      height: Math.ceil(top),
      role: "img",
      "aria-label": plan.title,
    },
    "\n",
    element("title", {}, escapeText(plan.title)),
    `\n<style>\n${STYLE}\n</style>\n`,
    element("rect", { width: "100%", height: "100%", rx: 6, class: "ground" }),
    "\n",
    text(16, 26, plan.title, { class: "title" }),
    "\n",
    text(16, 44, caption, { class: "label" }),
    `\n${panels.join("\n")}\n`,
  );
  return `${drawn}\n`;
}

const STYLE = [
  "text { font: 12px system-ui, sans-serif }",
  ".title { font-size: 15px; font-weight: 600 }",
  ".figure { font-size: 9px }",
  ".line { fill: none; stroke-width: 2 }",
  ".grid, .axis, .whisker { stroke-width: 1 }",
  ...coloursOf(THEMES.light),
  `@media (prefers-color-scheme: dark) {\n${coloursOf(THEMES.dark).join("\n")}\n}`,
].join("\n");

function coloursOf({ ground, words, quiet, grid, series }: Theme): string[] {
  return [
    `.ground { fill: ${ground} }`,
    `text { fill: ${words} }`,
    `.label, .tick, .figure { fill: ${quiet} }`,
    `.grid { stroke: ${grid} }`,
    `.axis { stroke: ${quiet} }`,
    `.whisker { stroke: ${words}; stroke-opacity: 0.6 }`,
    ...series
      .slice(0, COLOURS)
      .map((colour, i) => `.c${i} { fill: ${colour} } .line.c${i} { fill: none; stroke: ${colour} }`),
  ];
}

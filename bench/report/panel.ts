/** One panel of a chart: axes with their units, and bars or lines with whiskers from the least to the greatest sample. */
import type { Panel } from "../benchmark.ts";
import type { Plotted, Point } from "./plotted.ts";
import { linear, logarithmic, type Scale } from "./scale.ts";
import { element, line, text } from "./svg.ts";

/** Of the space that marks stand in. */
interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const MARGIN = { left: 64, right: 16, top: 12, bottom: 48 };
const PLOT_HEIGHT = 220;
const LEGEND_ROW = 18;
/** Of a letter at the size of the legend, as nobody here knows the font. */
const LETTER = 7;
const SWATCH = 18;
const WIDEST_BAR = 44;
export const COLOURS = 8;

/** The panel drawn from `top` on, and how high that is. */
export function drawPanel(
  panel: Panel,
  { places, series }: Plotted,
  { width, top, colours }: { width: number; top: number; colours: ReadonlyMap<string, number> },
): { svg: string; height: number } {
  const shown = Array.from(series, ([name, points]) => ({
    name,
    points,
    colour: `c${(colours.get(name) ?? 0) % COLOURS}`,
  }));
  const legend = drawLegend(shown, { left: MARGIN.left, right: width - MARGIN.right, top: top + 20 });
  const plotTop = top + 20 + legend.height + MARGIN.top;
  const area = {
    left: MARGIN.left,
    right: width - MARGIN.right,
    top: plotTop,
    bottom: plotTop + PLOT_HEIGHT,
  };
  const points = [...series.values()].flatMap((of) => [...of.values()]);
  const figures = points.flatMap(({ value, max }) => [value, max]);
  const scale = panel.isLogarithmic ? logarithmic([...figures, ...points.map(({ min }) => min)]) : linear(figures);
  const plot = { area, scale, places, series: shown };
  const svg = [
    text(MARGIN.left, top + 12, panel.name, { class: "label" }),
    legend.svg,
    drawAxes(plot, panel.x),
    panel.kind === "bars" ? drawBars(plot) : drawLines(plot),
  ].join("\n");
  return { svg, height: area.bottom + MARGIN.bottom - top };
}

interface Plot {
  readonly area: Area;
  readonly scale: Scale;
  readonly places: readonly string[];
  readonly series: readonly Series[];
}

interface Series {
  readonly name: string;
  readonly points: ReadonlyMap<string, Point>;
  /** A class of the style sheet. */
  readonly colour: string;
}

function drawLegend(
  series: readonly Series[],
  { left, right, top }: Omit<Area, "bottom">,
): { svg: string; height: number } {
  let x = left;
  let y = top;
  const items = series.map(({ name, colour }) => {
    const width = SWATCH + name.length * LETTER + 12;
    if (x + width > right && x > left) {
      x = left;
      y += LEGEND_ROW;
    }
    const item = [
      element("rect", { x, y, width: 11, height: 11, rx: 2, class: colour }),
      text(x + SWATCH, y + 10, name),
    ].join("");
    x += width;
    return item;
  });
  return { svg: items.join("\n"), height: y - top + LEGEND_ROW };
}

function drawAxes({ area, scale, places }: Plot, label: string): string {
  const ticks = scale.ticks.map((tick) => {
    const y = heightOf(tick, { area, scale });
    return [
      line([area.left, y], [area.right, y], { class: "grid" }),
      text(area.left - 8, y + 4, short(tick), { "text-anchor": "end", class: "tick" }),
    ].join("");
  });
  const names = places.map((place, i) =>
    text(centreOf(i, { area, places }), area.bottom + 18, place, { "text-anchor": "middle", class: "tick" }),
  );
  const middle = (area.left + area.right) / 2;
  return [
    ...ticks,
    line([area.left, area.bottom], [area.right, area.bottom], { class: "axis" }),
    ...names,
    text(middle, area.bottom + 36, label, { "text-anchor": "middle", class: "label" }),
  ].join("\n");
}

function drawBars(plot: Plot): string {
  const { area, places, series } = plot;
  const room = (area.right - area.left) / places.length;
  return places
    .flatMap((place, i) => {
      const here = series.flatMap(({ points, colour }) => {
        const point = points.get(place);
        return point === undefined ? [] : [{ point, colour }];
      });
      const width = Math.min(WIDEST_BAR, (room * 0.86) / here.length);
      const left = centreOf(i, plot) - (width * here.length) / 2;
      return here.map(({ point, colour }, slot) => drawBar(plot, point, { left: left + slot * width, width, colour }));
    })
    .join("\n");
}

function drawBar(
  plot: Plot,
  point: Point,
  { left, width, colour }: { left: number; width: number; colour: string },
): string {
  const { bottom } = plot.area;
  const y = heightOf(point.value, plot);
  const x = left + width / 2;
  return [
    element("rect", { x: left + 1, y, width: width - 2, height: Math.max(bottom - y, 0), class: colour }),
    drawWhisker(plot, point, x),
    text(x, heightOf(point.max, plot) - 4, short(point.value), { "text-anchor": "middle", class: "figure" }),
  ].join("");
}

function drawLines(plot: Plot): string {
  return plot.series
    .map(({ points, colour }) => {
      const here = plot.places.flatMap((place, i) => {
        const point = points.get(place);
        return point === undefined ? [] : [{ point, x: centreOf(i, plot) }];
      });
      const path = here.map(
        ({ point, x }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${heightOf(point.value, plot).toFixed(1)}`,
      );
      return [
        element("path", { d: path.join(" "), class: `line ${colour}` }),
        ...here.map(({ point, x }) =>
          [
            drawWhisker(plot, point, x),
            element("circle", { cx: x, cy: heightOf(point.value, plot), r: 3.5, class: colour }),
          ].join(""),
        ),
      ].join("");
    })
    .join("\n");
}

function drawWhisker(plot: Plot, { min, max }: Point, x: number): string {
  if (min === max) return "";
  return line([x, heightOf(min, plot)], [x, heightOf(max, plot)], { class: "whisker" });
}

/** Upright, within the area. */
function heightOf(value: number, { area, scale }: Pick<Plot, "area" | "scale">): number {
  return area.bottom - scale.position(value) * (area.bottom - area.top);
}

function centreOf(place: number, { area, places }: Pick<Plot, "area" | "places">): number {
  return area.left + ((area.right - area.left) / places.length) * (place + 0.5);
}

/** `0.25`, `12`, `1.2k`, `3M`. */
function short(value: number): string {
  const [divisor, unit] = value >= 999_500 ? [1e6, "M"] : value >= 1000 ? [1e3, "k"] : [1, ""];
  return `${Number((value / divisor).toPrecision(value / divisor >= 100 ? 3 : 2))}${unit}`;
}

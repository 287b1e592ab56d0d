const BARS = "▁▂▃▄▅▆▇█";

/** A bar a value, as high as it is beside the greatest of them; what is more than nothing is more than the lowest bar. */
export function sparkline(values: readonly number[]): string {
  const greatest = Math.max(...values, 0);
  return values
    .map((value) => BARS[value <= 0 ? 0 : Math.max(1, Math.round((value / greatest) * (BARS.length - 1)))])
    .join("");
}

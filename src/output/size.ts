const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes in its largest unit, to two digits or more: `1 byte`, `64 KiB`, `3.0 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  const value = bytes / 1024 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power - 1]}`;
}

/** Reads the binary frame that carries charts: a JSON header, then aligned columns (see the API document). */

const TYPES = { f8: Float64Array, f4: Float32Array, u4: Uint32Array };

/**
 * @typedef {{run_id: number, stream: string, n: number, x: Float64Array | null, y: Float64Array, min: Float32Array | null,
 *   max: Float32Array | null, std: Float32Array | null, count: Uint32Array | null, special: [number, string][],
 *   restarts: number[], superseded: boolean}} Series
 * @typedef {{tag: string, range: [number, number], exact: boolean, grid: Float64Array | null, series: Series[]}} Chart
 */

/** @param {ArrayBuffer} buffer @returns {{snapshot: number, charts: Chart[]}} */
export function decode(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const column = (at) => (at ? new TYPES[at[2]](buffer, 4 + size + at[0], at[1]) : null);
  for (const chart of header.charts) {
    chart.grid = column(chart.grid);
    for (const one of chart.series) {
      for (const name of ["x", "y", "min", "max", "std", "count"]) one[name] = column(one[name]);
    }
  }
  return header;
}

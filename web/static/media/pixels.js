/** What two images differ by, pixel for pixel: pure functions over RGBA bytes. */

/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels */

const BLOCK = 8; // of the structural similarity

/** The part that both have, from the top left corner. @param {Pixels} a @param {Pixels} b */
export function overlap(a, b) {
  return { width: Math.min(a.width, b.width), height: Math.min(a.height, b.height) };
}

/** Black, violet, red, orange, yellow, white by how much: darker is less. */
const HEAT = [[0, 0, 0], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];

/** A table of 256 colours through those of HEAT. */
function heatTable() {
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const at = (i / 255) * (HEAT.length - 1);
    const low = Math.min(HEAT.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c += 1) table[3 * i + c] = HEAT[low][c] + (HEAT[low + 1][c] - HEAT[low][c]) * (at - low);
  }
  return table;
}

/** The brightness of a colour, from 0 to 255. */
function luma(data, i) {
  return 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
}

/**
 * The picture of B − A over the part that both have. `abs`: each channel's distance; `heat`: the largest of them as a
 * colour; `signed`: red where B is brighter, blue where it is darker. All times *gain*.
 * @param {Pixels} a @param {Pixels} b @param {"abs" | "heat" | "signed"} style @param {number} gain
 * @returns {{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}}
 */
export function difference(a, b, style, gain) {
  const { width, height } = overlap(a, b);
  const data = new Uint8ClampedArray(width * height * 4);
  const table = style === "heat" ? heatTable() : null;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0, i = y * a.width * 4, j = y * b.width * 4, k = y * width * 4; x < width; x += 1, i += 4, j += 4, k += 4) {
      const [red, green, blue] = [Math.abs(b.data[j] - a.data[i]), Math.abs(b.data[j + 1] - a.data[i + 1]), Math.abs(b.data[j + 2] - a.data[i + 2])];
      const clear = Math.abs(b.data[j + 3] - a.data[i + 3]);
      if (style === "abs") {
        data[k] = Math.max(red, clear) * gain;
        data[k + 1] = Math.max(green, clear) * gain;
        data[k + 2] = Math.max(blue, clear) * gain;
      } else if (table) {
        const at = 3 * Math.min(255, Math.round(Math.max(red, green, blue, clear) * gain));
        data[k] = table[at];
        data[k + 1] = table[at + 1];
        data[k + 2] = table[at + 2];
      } else {
        const by = (luma(b.data, j) - luma(a.data, i)) * gain;
        data[k] = by > 0 ? by : 0;
        data[k + 1] = Math.abs(by) > 255 ? (Math.abs(by) - 255) / 4 : 0;
        data[k + 2] = by < 0 ? -by : 0;
      }
      data[k + 3] = 255;
    }
  }
  return { data, width, height };
}

/**
 * How far two images are apart over the part that both have: mean and largest distance of a channel, where the
 * largest is, the share of pixels that differ, peak signal to noise in dB, structural similarity of brightness.
 * @param {Pixels} a @param {Pixels} b
 */
export function distance(a, b) {
  const { width, height } = overlap(a, b);
  let [sum, squares, most, at, differ] = [0, 0, 0, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0, i = y * a.width * 4, j = y * b.width * 4; x < width; x += 1, i += 4, j += 4) {
      let largest = Math.abs(b.data[j + 3] - a.data[i + 3]);
      for (let c = 0; c < 3; c += 1) {
        const by = Math.abs(b.data[j + c] - a.data[i + c]);
        sum += by;
        squares += by * by;
        if (by > largest) largest = by;
      }
      if (largest > 0) differ += 1;
      if (largest > most) [most, at] = [largest, y * width + x];
    }
  }
  const n = width * height;
  const error = squares / (3 * n);
  return {
    width, height, mean: sum / (3 * n), most, at: most ? [at % width, Math.floor(at / width)] : null, differ: differ / n,
    psnr: error === 0 ? Infinity : 10 * Math.log10((255 * 255) / error), ssim: similarity(a, b, width, height),
  };
}

/** Structural similarity of brightness, averaged over blocks of 8 by 8; null where there is no whole block. */
function similarity(a, b, width, height) {
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  let [sum, blocks] = [0, 0];
  for (let top = 0; top + BLOCK <= height; top += BLOCK) {
    for (let left = 0; left + BLOCK <= width; left += BLOCK) {
      let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
      for (let y = top; y < top + BLOCK; y += 1) {
        for (let x = left; x < left + BLOCK; x += 1) {
          const p = luma(a.data, (y * a.width + x) * 4);
          const q = luma(b.data, (y * b.width + x) * 4);
          sa += p;
          sb += q;
          saa += p * p;
          sbb += q * q;
          sab += p * q;
        }
      }
      const n = BLOCK * BLOCK;
      const [ma, mb] = [sa / n, sb / n];
      const [va, vb, cov] = [saa / n - ma * ma, sbb / n - mb * mb, sab / n - ma * mb];
      sum += ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
      blocks += 1;
    }
  }
  return blocks ? sum / blocks : null;
}

/** The four bytes of a pixel, or null outside. @param {Pixels} pixels @returns {[number, number, number, number] | null} */
export function at(pixels, x, y) {
  if (x < 0 || y < 0 || x >= pixels.width || y >= pixels.height) return null;
  const i = (y * pixels.width + x) * 4;
  return [pixels.data[i], pixels.data[i + 1], pixels.data[i + 2], pixels.data[i + 3]];
}

/** Whether red, green and blue are the same all over. @param {Pixels} pixels */
export function isGrey(pixels) {
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

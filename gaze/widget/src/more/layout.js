/** Which sheets there are, and how the frames lie in them. Pure. */

const MAX_GRID = 60; // rows and columns

/**
 * The cells per side of a sheet and the size of a frame, from what was declared and the size the sheet really has.
 * What is declared may be missing, or describe another set: the picture has the last word.
 *
 * @param {{cells?: number, width?: number, height?: number}} declared
 * @returns {{cells: number, width: number, height: number} | null} null when nothing fits
 */
export function sheetLayout(declared, sheetWidth, sheetHeight) {
  const fits = (n) => Number.isInteger(n) && n > 0 && n <= MAX_GRID && sheetWidth % n === 0 && sheetHeight % n === 0;
  const layout = (n) => ({ cells: n, width: sheetWidth / n, height: sheetHeight / n });
  const { cells, width, height } = declared;
  const across = sheetWidth / width;
  if (across === sheetHeight / height && fits(across)) return layout(across);
  if (fits(cells)) return layout(cells);
  const guesses = Array.from({ length: 30 }, (_, i) => i + 1)
    .filter(fits)
    .map(layout);
  if (cells) return null;
  const distance = (l) => Math.abs(Math.log(Math.max(l.width, l.height) / 512)); // frames are about 512 long
  return guesses.reduce((best, l) => (distance(l) < distance(best) ? l : best));
}

/** The sheets that `src` names: four, or one. */
export function listedSheets(src, mode) {
  const sheets = src.startsWith("data:")
    ? [src]
    : src
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean);
  const expected = { quadrants: 4, single: 1 }[mode] || (sheets.length === 1 ? 1 : 4);
  if (sheets.length === expected) return sheets;
  throw new Error(`src names ${sheets.length} sheets, mode="${mode || "quadrants"}" needs ${expected}.`);
}

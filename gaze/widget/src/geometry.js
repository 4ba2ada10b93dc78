/** The mesh as numbers for the graphics memory, and what of a frame moves. Pure. */

const MARGIN = 2; // pixels around the moving rectangle, so that filters find neighbours at its edge

/** Numbers of a mesh for the graphics memory: x, y, moving, then the fields, by vertex. */
export function vertexData({ columns, rows }, { fields, moving }, rank) {
  const [across, count] = [columns.length, columns.length * rows.length];
  const stride = 3 + 4 * Math.ceil(rank / 2);
  const data = new Float32Array(count * stride);
  for (let v = 0; v < count; v++) {
    data.set([columns[v % across], rows[Math.floor(v / across)], moving[v] / 255], v * stride);
    for (let plane = 0; plane < rank * 2; plane++) data[v * stride + 3 + plane] = fields[plane * count + v];
  }
  return { data, stride };
}

/**
 * Two triangles for each cell of the lattice, without lines that lie nearer to the last one than `gap`: in a small
 * picture they cost more time than anybody sees.
 */
export function triangles({ columns, rows }, gap) {
  const [across, down] = [columns, rows].map((lines) => {
    let last = -gap;
    return lines.flatMap((at, i) => (at - last < gap && i < lines.length - 1 ? [] : ((last = at), [i])));
  });
  const indices = [];
  for (let i = 1; i < down.length; i++) {
    for (let j = 1; j < across.length; j++) {
      const [a, b, c, d] = [down[i - 1], down[i]].flatMap((row) =>
        [across[j - 1], across[j]].map((column) => row * columns.length + column),
      );
      indices.push(a, b, c, b, d, c);
    }
  }
  return indices;
}

/** The rectangle of a frame that moves, with a margin, in even pixels, as the planes of a video need it. */
export function movingRect({ mesh, imageWidth, imageHeight }) {
  const [[x, width], [y, height]] = [
    [mesh.columns, imageWidth],
    [mesh.rows, imageHeight],
  ].map(([lines, most]) => {
    const first = Math.max(0, lines[0] - MARGIN) & ~1;
    return [first, ((Math.min(most, lines.at(-1) + MARGIN) + 1) & ~1) - first];
  });
  return { x, y, width, height };
}

/** What of a canvas the mesh covers whole, in pixels; one where there is none. */
export function onCanvas({ mesh, imageWidth, imageHeight }, width, height) {
  const [[x, right], [y, bottom]] = [
    [mesh.columns, width / imageWidth],
    [mesh.rows, height / imageHeight],
  ].map(([lines, zoom]) => [Math.ceil(lines[0] * zoom), Math.floor(lines.at(-1) * zoom)]);
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

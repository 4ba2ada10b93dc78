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

/** Two triangles for each cell of the lattice. */
export function triangles(columns, rows) {
  const indices = new Uint16Array((columns - 1) * (rows - 1) * 6);
  let i = 0;
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns - 1; column++) {
      const v = row * columns + column;
      indices.set([v, v + 1, v + columns, v + 1, v + columns + 1, v + columns], i);
      i += 6;
    }
  }
  return indices;
}

/** The rectangle of a frame that moves, with a margin, in whole pixels. */
export function movingRect({ mesh, imageWidth, imageHeight }) {
  const x = Math.max(0, mesh.columns[0] - MARGIN);
  const y = Math.max(0, mesh.rows[0] - MARGIN);
  const [right, bottom] = [mesh.columns.at(-1) + MARGIN, mesh.rows.at(-1) + MARGIN];
  return { x, y, width: Math.min(imageWidth, right) - x, height: Math.min(imageHeight, bottom) - y };
}

/** The same on a canvas, on whole pixels around it. */
export function onCanvas(rect, header, width, height) {
  const [across, down] = [width / header.imageWidth, height / header.imageHeight];
  const [x, y] = [Math.max(0, Math.floor(rect.x * across)), Math.max(0, Math.floor(rect.y * down))];
  const right = Math.min(width, Math.ceil((rect.x + rect.width) * across));
  const bottom = Math.min(height, Math.ceil((rect.y + rect.height) * down));
  return { x, y, width: right - x, height: bottom - y };
}

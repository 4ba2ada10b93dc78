/** The programs of the morph. */

/** Vertex attributes that hold fields, two in each. */
export const FIELD_PAIRS = 8;

const HEAD = `#version 300 es
precision highp float; precision highp sampler2DArray;`;

/**
 * `pick` reads a texture, or a slice of one. Sharply, it samples with four texels along each axis: cubic convolution
 * (Keys, 1981) with a = -0.8, in five reads that the hardware filters: the corners, of small weights, are left out, which
 * takes a third less time and costs no sharpness. The usual a = -0.5 leaves a mean of four keys softer than one of them.
 * Else of a texture with smaller levels it takes the one next below, which is as sharp as its size allows.
 * `get` reads the whole picture `S`, or a key of `K`; where they are planes, Y from these, the rest from `u` and `v`, or
 * from `U` and `V`.
 */
const reading = (isSharp, isPlanar, isSlice) => {
  const [array, place, Y, U, V] = isSlice ? ["Array", "vec3", ..."KUV"] : ["", "vec2", ..."Suv"];
  return `
uniform sampler2D${array} ${Y}, ${U}, ${V};
vec4 pick(sampler2D${array} s, ${place} p) {${
    isSharp
      ? `
  vec2 size = vec2(textureSize(s, 0)), at = p.xy * size, f = fract(at - .5), g = 1. - f, e = -.8 * f * g;
  vec2 mid = at - f, c = (mid + (f + e * (.25 - 1.5 * f)) / (1. - e)) / size;
  p.xy = c; vec4 o = textureLod(s, p, 0.) * (1. - e.x - e.y);
  for (int i = 0; i < 2; i++) { p.xy = c; p[i] = (mid[i] - 1.) / size[i]; o += textureLod(s, p, 0.) * e[i] * g[i];
    p[i] += 3. / size[i]; o += textureLod(s, p, 0.) * e[i] * f[i]; }
  return clamp(o, 0., 1.);`
      : `return texture${isSlice ? "Lod(s, p, 0.)" : "(s, p, -1.)"};`
  } }
vec4 get(${place} p) { return ${
    isPlanar ? `vec4(pick(${Y}, p).r, textureLod(${U}, p, 0.).r, textureLod(${V}, p, 0.).r, 1.)` : `pick(${Y}, p)`
  }; }`;
};

/** The matrix that makes colours of planes: BT.709, limited range. */
const colours = (isPlanar) =>
  isPlanar
    ? `o.rgb = mat3(1.164, 1.164, 1.164, 0, -.213, 2.112, 1.793, -.533, 0) * (o.rgb - vec3(16, 128, 128) / 255.);`
    : "";

/**
 * A picture over the whole viewport: `part` of the texture, as left, bottom, width and height in texture coordinates;
 * where `alpha` is 1, its alpha lies half a texture lower: coded with loss, but what is opaque stays so, and what is not does
 * not show the seam to the colour above, nor the last column, into which browsers mix what lies beyond it. Where it is -1,
 * each two by two pixels have one colour, in lightnesses of their own: colours are filtered as planes are.
 */
export const PICTURE = {
  vertex: `${HEAD}
out vec2 p; uniform vec4 part;
void main() { vec2 c = vec2(gl_VertexID & 1, gl_VertexID >> 1); p = part.xy + c * part.zw;
  gl_Position = vec4(c * 2. - 1., 0, 1); }`,
  fragment: (isSharp, isPlanar) => `${HEAD}
in vec2 p; out vec4 o; uniform float alpha;${reading(isSharp, isPlanar)}
void main() { vec2 c = min(p, 1. - 1.5 * alpha / vec2(textureSize(S, 0))); o = get(c); ${colours(isPlanar)}
  if (alpha < 0.) { vec3 m = textureLod(S, c, 1.).rgb; o.rgb = m + dot(o.rgb - m, vec3(.21, .72, .07)); }
  if (alpha > 0.) { float a = pick(S, c + vec2(0, .5)).r;${isPlanar ? "a = a * 1.164 - .073;" : ""}
    o *= a < .08 ? 0. : a > .97 ? 1. : a; } }`,
};

const PAIRS = Array.from({ length: FIELD_PAIRS }, (_, i) => i);

/**
 * The mesh, moved to a look, with four keys on it (docs/format.md, "The morph"). X and Y are where each of the four has
 * the vertex, A how far it applies each field, T the same of the look; rect is where the keys' pictures begin in the
 * frame, and how many of their pixels are one of the frame.
 */
export const MESH = {
  vertex: `${HEAD}
layout(location = 0) in vec3 v; ${PAIRS.map((i) => `layout(location = ${i + 1}) in vec4 f${i};`).join("")}
uniform float T[${FIELD_PAIRS * 2}]; uniform vec4 A[${FIELD_PAIRS * 2}], L; uniform vec3 rect; uniform vec2 frame;
uniform sampler2DArray K, trust; uniform int wide;
out vec2 q; out vec4 X, Y, t; out float moving;
void add(int r, vec2 b) { q += T[r] * b; X += A[r] * b.x; Y += A[r] * b.y; }
void main() { q = v.xy; X = vec4(v.x); Y = vec4(v.y);
${PAIRS.map((i) => `add(${i * 2}, f${i}.xy); add(${i * 2 + 1}, f${i}.zw);`).join("")}
vec2 s = rect.z / vec2(textureSize(K, 0)); X = (X - rect.x) * s.x; Y = (Y - rect.y) * s.y; q /= frame; moving = v.z; t = vec4(1);
if (wide > 0) for (int i = 0; i < 4; i++)
t[i] = texelFetch(trust, ivec3(gl_VertexID % wide, gl_VertexID / wide, L[i]), 0).r;
gl_Position = vec4(q.x * 2. - 1., 1. - q.y * 2., 0, 1); }`,
  fragment: (isSharp, isPlanar) => `${HEAD}
in vec2 q; in vec4 X, Y, t; in float moving; out vec4 o;
uniform vec4 L, W; uniform vec2 reach;${reading(isSharp, isPlanar)}${reading(isSharp, isPlanar, true)}
void main() { vec4 w = W * max(t, 1. / 255.); o = vec4(0);
for (int i = 0; i < 4; i++) if (W[i] > 0.) o += w[i] * get(vec3(X[i], Y[i], L[i]));
o /= dot(w, vec4(1)); if (moving < 1.) o = mix(get(q * reach), o, moving); ${colours(isPlanar)} }`,
};

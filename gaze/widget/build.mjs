// Builds what pages load from src/:  node build.mjs [folder]
//
//   gaze-tracker.js       the classic script        gaze-tracker.mjs    the same as a module
//   gaze-tracker-more.js  what few pages need (sheets, packs of version 1, buttons …): either loads it when it is needed
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? here;
const license = "/*! gaze-tracker, MIT */";

// Names of our own that may be shortened, in all files alike. Never names of the page, of JSON, or of the element.
const internal = `
  addControls aim aimed alive array awake axis before begun blank Board board breath buffers bytes calm cell chain changed coefficients
  config connected controls count decodeStills describe described disconnected draw drawAll drawn element embeddedPack enliven entry fail failed feel fields filled fine fit
  fitTimer FlatBoard folder follower forget fragment given glance goesOn hasSheets header heard holdTimer host hosts isCalm isCoarse isBusy isDue isEmpty
  isFinal isForWebGL isGuess isLost isMatch isMorph isNear isReady isRefused isSharp isStill isWhole job layer
  layOut letGo listen listening load loader loadMesh look lost more moved moving n near newProgram newTexture observers offerTexture old
  ondrop onfail onpicture onposter onprogress onshape over ownerOf owners PackPlayer parts payload pixels place places play player playLeft portrait point
  pointAt pointed pointer press program progress put queue readFolder redraw refit release reshape reshaped resized resolution rest
  restart restored rests scale scrolled seen settled shape shapeFromAttributes shared shares show sleep snap spares speed stage start step
  stillness stir stride take takeTexture tick told transfer trials tried unlisten vertex view wait wake waking want whole widgets zoom
`.split(/\s+/);

const outputs = [
  { entry: "src/classic.js", file: "gaze-tracker.js", format: "iife" },
  { entry: "src/index.js", file: "gaze-tracker.mjs", format: "esm" },
  { entry: "src/more/index.js", file: "gaze-tracker-more.js", format: "iife" },
];

/** Style sheets are imported as text, without what nobody needs. */
const css = {
  name: "css",
  setup(bundler) {
    bundler.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** Programs of the graphics memory are text to a minifier: without the spaces around their operators they mean the same. */
const shaders = {
  name: "shaders",
  setup(bundler) {
    bundler.onLoad({ filter: /shaders\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(/\s*(?:(\})|([-+*/%=<>(){,;:?&|[\]])\s*)/g, "$1$2").replace(/([`}])\n\s*/g, "$1");
      return { contents, loader: "js" };
    });
  },
};

let mangleCache = {};
for (const { entry, file, format } of outputs) {
  const bundle = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: join(here, file),
    write: false,
    bundle: true,
    minify: true,
    sourcemap: "external",
    sourcesContent: false,
    target: "es2022",
    format,
    charset: "utf8",
    external: ["./gaze-tracker-more.js"],
    define: { IS_MODULE: String(format === "esm") },
    mangleProps: new RegExp(`^(${internal.filter(Boolean).join("|")})$`),
    mangleCache,
    plugins: [css, shaders],
    logLevel: "warning",
  });
  mangleCache = bundle.mangleCache; // the files call each other
  const [map, script] = bundle.outputFiles;
  const result = await minify(script.text, {
    ecma: 2020,
    module: format === "esm",
    toplevel: true,
    compress: { passes: 5, unsafe_arrows: true, pure_getters: true, hoist_funs: true, inline: 1 },
    format: { preamble: license },
    // Only a bundler looks for the module's map; a portrait's folder has none, and pages hold the scripts themselves.
    sourceMap: { content: map.text, filename: file, ...(format === "esm" && { url: `${file}.map` }) },
  });
  await writeFile(join(target, file), `${result.code}\n`);
  await writeFile(join(target, `${file}.map`), `${result.map}\n`);
}

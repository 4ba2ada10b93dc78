// Bundles one snippet of gaze/ui/snippets into a classic script that mounts it at #app, as the framework's own tools would.
//
//   node bundle_snippet.mjs react|vue|svelte <snippet file> <output file>
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

const [framework, snippet, output] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));

const compilers = {
  react: (source) => ({ contents: source, loader: "jsx" }),
  vue: (source) => {
    const { descriptor } = parse(source);
    const options = { compilerOptions: { isCustomElement: (tag) => tag === "gaze-tracker" } };
    return {
      contents: compileScript(descriptor, { id: "snippet", inlineTemplate: true, templateOptions: options }).content,
    };
  },
  svelte: (source) => ({ contents: compile(source, { generate: "client", css: "injected" }).js.code }),
};

const mounts = {
  react: `import { createElement } from "react"; import { createRoot } from "react-dom/client"; import Snippet from "snippet";
          createRoot(document.getElementById("app")).render(createElement(Snippet));`,
  vue: `import { createApp } from "vue"; import Snippet from "snippet"; createApp(Snippet).mount("#app");`,
  svelte: `import { mount } from "svelte"; import Snippet from "snippet"; mount(Snippet, {target: document.getElementById("app")});`,
};

await build({
  stdin: { contents: mounts[framework], resolveDir: here },
  bundle: true,
  format: "iife",
  jsx: "automatic",
  conditions: ["browser", "production"],
  define: { "process.env.NODE_ENV": '"production"' },
  outfile: output,
  logLevel: "error",
  plugins: [
    {
      name: "snippet",
      setup(bundler) {
        bundler.onResolve({ filter: /^snippet$/ }, () => ({ path: snippet, namespace: "snippet" }));
        bundler.onResolve({ filter: /gaze-tracker\.mjs$/ }, () => ({
          path: join(here, "../../gaze/widget/gaze-tracker.mjs"),
        }));
        bundler.onLoad({ filter: /.*/, namespace: "snippet" }, async () => ({
          resolveDir: here,
          ...compilers[framework](await readFile(snippet, "utf8")),
        }));
      },
    },
  ],
});

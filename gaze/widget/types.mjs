// Writes gaze-tracker.d.ts from custom-elements.json:  node types.mjs [folder]
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = process.argv[2] ?? here;
const { modules } = JSON.parse(await readFile(join(here, "custom-elements.json"), "utf8"));
const { attributes, members, events } = modules[0].declarations[0];

/** A comment, and the lines below it, indented. */
const described = (text, lines, indent = "  ") => [`/** ${text} */`, ...lines].map((line) => indent + line).join("\n");
const quoted = (name) => (/^\w+$/.test(name) ? name : `"${name}"`);

/** Properties that reflect attributes: text when read; numbers may be set too. */
const property = ({ fieldName, type, description }) =>
  described(
    description,
    {
      string: [`${fieldName}: string;`],
      boolean: [`${fieldName}: boolean;`],
      number: [`get ${fieldName}(): string;`, `set ${fieldName}(value: string | number | null);`],
    }[type.text] ?? [`${fieldName}: ${type.text} | "";`],
  );

const attribute = ({ name, type }) => `  ${quoted(name)}?: ${type.text === "number" ? "number | string" : type.text};`;

const member = ({ kind, name, type, readonly, parameters, return: result, description }) =>
  described(description, [
    kind === "field"
      ? `${readonly ? "readonly " : ""}${name}: ${type.text};`
      : `${name}(${parameters.map((it) => `${it.name}${it.optional ? "?" : ""}: ${it.type.text}`).join(", ")}): ${result.type.text};`,
  ]);

const text = `/** Types of <gaze-tracker>. Made from custom-elements.json by types.mjs. */

/** The fields of metadata.json, and where the files lie. */
export interface GazeManifest {
  /** URL of the portrait's folder, relative to the document; ends in "/". */
  base?: string;
  /** File name or URL of the pack. */
  pack?: string;
  /** The same keys as stills, for browsers without a video decoder. */
  stills?: string;
  poster?: string;
  imageWidth?: number;
  imageHeight?: number;
  gridSize?: number;
  /** The point between the eyes, as a fraction of the frame. */
  face?: { x: number; y: number };
  mode?: "quadrants" | "single";
  /** File names, where they are not q0.webp … q3.webp or sheet.webp; empty where there are none. */
  sheets?: string[];
  mobileSheets?: string[];
  mobileGridSize?: number | null;
  mobileQuadrantSize?: number | null;
  quadrantSize?: number;
  totalImages?: number;
  hasAlpha?: boolean;
  /** Of the sheets: "webp". */
  format?: string;
  /** Of the format. */
  version?: number;
  /** What rendered the portrait. */
  engine?: string;
  [more: string]: unknown;
}

export interface GazeTrackerEventMap {
${events.map(({ name, type }) => `  ${name}: ${type.text};`).join("\n")}
}

export class GazeTracker extends HTMLElement {
${[...members.map(member), ...attributes.map(property)].join("\n\n")}

  addEventListener<Name extends keyof GazeTrackerEventMap>(
    type: Name,
    listener: (this: GazeTracker, event: GazeTrackerEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The attributes, for templates. */
export interface GazeTrackerAttributes {
${attributes.map(attribute).join("\n")}
  manifest?: GazeManifest | null;
}

/** Listeners as properties, as React 19 and Svelte 5 have them. */
export interface GazeTrackerListeners {
${events.map(({ name, type }) => `  on${name}?: (event: ${type.text}) => void;`).join("\n")}
}

declare global {
  interface HTMLElementTagNameMap {
    "gaze-tracker": GazeTracker;
  }
}

// Programs without one of these frameworks have no such module to add to, and may ignore that.
// @ts-ignore
declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      "gaze-tracker": Omit<DetailedHTMLProps<HTMLAttributes<GazeTracker>, GazeTracker>, keyof GazeTrackerListeners> &
        GazeTrackerAttributes &
        GazeTrackerListeners;
    }
  }
}

// @ts-ignore
declare module "vue" {
  interface GlobalComponents {
    "gaze-tracker": new () => {
      $props: GazeTrackerAttributes & {
${events.map(({ name, type }) => `        on${name[0].toUpperCase()}${name.slice(1)}?: (event: ${type.text}) => void;`).join("\n")}
      };
    };
  }
}

// @ts-ignore
declare module "svelte/elements" {
  interface SvelteHTMLElements {
    // @ts-ignore
    "gaze-tracker": Omit<HTMLAttributes<GazeTracker>, keyof GazeTrackerListeners> &
      GazeTrackerAttributes &
      GazeTrackerListeners;
  }
}
`;

await writeFile(join(target, "gaze-tracker.d.ts"), text);

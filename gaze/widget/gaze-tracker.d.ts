/** Types of <gaze-tracker>. Made from custom-elements.json by types.mjs. */

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
  load: CustomEvent<null>;
  progress: CustomEvent<{ loaded: number; total: number }>;
  error: CustomEvent<{ message: string; url: string }>;
  gazechange: CustomEvent<{ row: number; col: number; x: number; y: number }>;
}

export class GazeTracker extends HTMLElement {
  /** The portrait as an object: the fields of metadata.json and `base`, the URL of its folder. It goes before `src`. The old picture stays until the new one can be drawn; an equal object changes nothing. */
  manifest: GazeManifest | null;

  /** The row now shown, fractional: 0 looks up. NaN before the portrait is there. */
  readonly row: number;

  /** The column now shown, fractional: 0 looks to the left edge of the image. NaN before the portrait is there. */
  readonly col: number;

  /** True when all that is to be loaded is there. */
  readonly loaded: boolean;

  /** With `renderer="pixi"`: the picture as a PIXI.Texture; null before. */
  readonly texture: any;

  /** Looks at a point of the viewport, in CSS pixels (clientX and clientY of events), until something else moves the face. */
  lookAt(x: number, y: number): void;

  /** Looks at the middle of an element, also while the page scrolls. */
  lookAtElement(element: Element): void;

  /** Looks straight ahead. */
  reset(): void;

  /** Closes the eyes, or the named one, left or right in the picture, and opens them again, once, if the pack has what that takes, the browser has WebGL2, and the visitor does not ask for less motion. */
  blink(eye?: "left" | "right"): Promise<void>;

  /** Follows the tilt of the phone, or no longer. How it is held at that moment is straight ahead. iOS asks for permission, once, and only in answer to a tap. Resolves to whether it follows now. */
  followTilt(enabled?: boolean): Promise<boolean>;

  /** The portrait: its pack (….pack); or its folder, with gaze.pack in it; or sheets, separated by commas: four quadrants (top left, top right, bottom left, bottom right) or one. */
  src: string;

  /** How `src` lists sheets; without it, their number tells. Of a folder it says that there are sheets, which metadata.json describes. */
  mode: "quadrants" | "single" | "";

  /** Rows and columns of the grid of sheets, where no metadata.json says it. */
  get grid(): string;
  set grid(value: string | number | null);

  /** Width of a frame in pixels. With `height` it reserves the room before anything is loaded. */
  get width(): string;
  set width(value: string | number | null);

  /** Height of a frame in pixels, likewise. */
  get height(): string;
  set height(value: string | number | null);

  /** Picture to show until the face follows, where the slot holds none. */
  poster: string;

  /** What the portrait shows, for those who do not see it. Empty: decoration only, and no stop for the keyboard. */
  alt: string;

  /** How the picture fills the element's box: cropped, or whole. */
  fit: "cover" | "contain" | "";

  /** For sheets and packs of version 1: frames blend into their neighbours always, or only while the face moves. `none`, for all: whole cells only. */
  blend: "smooth" | "motion" | "none" | "";

  /** Milliseconds to cover 95 % of the way to a new look, the same at any frame rate; 0 jumps. Between 0 and 1: the share of the way per frame at 60 Hz, as older pages write it. */
  get smoothing(): string;
  set smoothing(value: string | number | null);

  /** What the face follows by itself: the pointer; the middle of the screen, as the page scrolls; nothing. */
  follow: "pointer" | "scroll" | "none" | "";

  /** Whether a visitor who prefers reduced motion is spared it. */
  motion: "auto" | "always" | "";

  /** The face lives: it breathes, blinks now and then, and glances about while nothing happens. Off where visitors want less motion. */
  idle: boolean;

  /** Name of a layer of the pack that is drawn over the face, such as "smile"; nothing where the pack has no such layer, or the browser no WebGL2. */
  mood: string;

  /** No buttons. */
  hideControls: boolean;

  /** Load when the element comes near the viewport, or at once. */
  loading: "lazy" | "eager" | "";

  /** Origins of pages that may hand over their pointer, separated by spaces, when this page stands in their iframe; `*` for any. The page's own origin always may. */
  bridge: string;

  /** `pixi`: offer the picture to a PixiJS scene as `texture`. */
  renderer: "canvas" | "pixi" | "";

  /** URL of the PixiJS module, where the page has no global `PIXI`. */
  pixiSrc: string;

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
  src?: string;
  mode?: "quadrants" | "single";
  grid?: number | string;
  width?: number | string;
  height?: number | string;
  poster?: string;
  alt?: string;
  fit?: "cover" | "contain";
  blend?: "smooth" | "motion" | "none";
  smoothing?: number | string;
  follow?: "pointer" | "scroll" | "none";
  motion?: "auto" | "always";
  idle?: boolean;
  mood?: string;
  "hide-controls"?: boolean;
  loading?: "lazy" | "eager";
  bridge?: string;
  renderer?: "canvas" | "pixi";
  "pixi-src"?: string;
  manifest?: GazeManifest | null;
}

/** Listeners as properties, as React 19 and Svelte 5 have them. */
export interface GazeTrackerListeners {
  onload?: (event: CustomEvent<null>) => void;
  onprogress?: (event: CustomEvent<{ loaded: number; total: number }>) => void;
  onerror?: (event: CustomEvent<{ message: string; url: string }>) => void;
  ongazechange?: (event: CustomEvent<{ row: number; col: number; x: number; y: number }>) => void;
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
        onLoad?: (event: CustomEvent<null>) => void;
        onProgress?: (event: CustomEvent<{ loaded: number; total: number }>) => void;
        onError?: (event: CustomEvent<{ message: string; url: string }>) => void;
        onGazechange?: (event: CustomEvent<{ row: number; col: number; x: number; y: number }>) => void;
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

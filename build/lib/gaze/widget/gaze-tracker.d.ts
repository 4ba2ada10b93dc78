/** Types of <gaze-tracker>. What each name does is described in docs/widget.md. */

/** The fields of metadata.json, and where the files lie. */
export interface GazeManifest {
  /** URL of the portrait's folder, relative to the document; ends in "/". */
  base?: string;
  gridSize?: number;
  quadrantSize?: number;
  mobileGridSize?: number | null;
  mobileQuadrantSize?: number | null;
  imageWidth: number;
  imageHeight: number;
  hasAlpha?: boolean;
  format?: string;
  mode?: "quadrants" | "single";
  totalImages?: number;
  /** File name or URL of the pack. */
  pack?: string;
  version?: string | number;
  /** File names, where they are not q0.webp … q3.webp or sheet.webp; empty where there are none. */
  sheets?: string[];
  mobileSheets?: string[];
  poster?: string;
  engine?: string;
  /** The point between the eyes, as a fraction of the frame. */
  face?: { x: number; y: number };
  [more: string]: unknown;
}

export interface GazeTrackerEventMap {
  load: CustomEvent<null>;
  progress: CustomEvent<{ loaded: number; total: number }>;
  error: CustomEvent<{ message: string; url: string }>;
  gazechange: CustomEvent<{ row: number; col: number; x: number; y: number }>;
}

export class GazeTracker extends HTMLElement {
  manifest: GazeManifest | null;
  readonly row: number;
  readonly col: number;
  readonly loaded: boolean;
  /** A PIXI.Texture. */
  readonly texture: any;

  src: string;
  mode: "quadrants" | "single" | "";
  get grid(): string;
  set grid(value: string | number | null);
  get width(): string;
  set width(value: string | number | null);
  get height(): string;
  set height(value: string | number | null);
  poster: string;
  alt: string;
  fit: "cover" | "contain" | "";
  blend: "smooth" | "motion" | "none" | "";
  get smoothing(): string;
  set smoothing(value: string | number | null);
  follow: "pointer" | "none" | "";
  motion: "auto" | "always" | "";
  idle: boolean;
  hideControls: boolean;
  loading: "lazy" | "eager" | "";
  renderer: "canvas" | "pixi" | "";
  pixiSrc: string;

  lookAt(x: number, y: number): void;
  lookAtElement(element: Element): void;
  reset(): void;
  followTilt(enabled?: boolean): Promise<boolean>;

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

/** The attributes, for JSX. */
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
  follow?: "pointer" | "none";
  motion?: "auto" | "always";
  idle?: boolean;
  "hide-controls"?: boolean;
  loading?: "lazy" | "eager";
  renderer?: "canvas" | "pixi";
  "pixi-src"?: string;
  manifest?: GazeManifest | null;
}

declare global {
  interface HTMLElementTagNameMap {
    "gaze-tracker": GazeTracker;
  }
}

// Pages without React have no such module to add to, and may ignore that.
// @ts-ignore
declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore
      "gaze-tracker": GazeTrackerAttributes & DetailedHTMLProps<HTMLAttributes<GazeTracker>, GazeTracker>;
    }
  }
}

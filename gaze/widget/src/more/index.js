/** The second file of the widget: what few pages need, or none at first. gaze-tracker.js loads it when one does. */

import { SECOND } from "../names.js";
import { rest, stir } from "./alive.js";
import { told } from "./bridge.js";
import { addControls } from "./controls.js";
import { embeddedPack } from "./embedded.js";
import { FlatBoard } from "./flat.js";
import { readFolder } from "./folder.js";
import { press } from "./keyboard.js";
import { blink, feel } from "./layers.js";
import { playLeft } from "./left.js";
import { PackPlayer } from "./pack_player.js";
import { takeTexture } from "./pixi.js";
import { decodeStills } from "./stills.js";
import { followTilt } from "./tilt.js";

// An object of our own, not a module: the build shortens names in these, and leaves those that a module exports.
const alive = { rest, stir };

globalThis[SECOND] = {
  ...{
    FlatBoard,
    PackPlayer,
    addControls,
    alive,
    blink,
    decodeStills,
    embeddedPack,
    feel,
    followTilt,
    playLeft,
    press,
    readFolder,
    takeTexture,
    told,
  },
};

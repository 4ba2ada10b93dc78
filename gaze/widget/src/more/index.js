/** The second file of the widget: what few pages need, or none at first. gaze-tracker.js loads it when one does. */

import { SECOND } from "../names.js";
import * as alive from "./alive.js";
import { told } from "./bridge.js";
import { addControls } from "./controls.js";
import { FlatBoard } from "./flat.js";
import { listedSheets } from "./layout.js";
import { PackPlayer } from "./pack_player.js";
import { textureOf } from "./pixi.js";
import { SheetPlayer } from "./sheet_player.js";
import * as tilt from "./tilt.js";

globalThis[SECOND] = { FlatBoard, PackPlayer, SheetPlayer, addControls, alive, listedSheets, textureOf, tilt, told };

// The page of several portraits that were shared: they have their buttons together.

import { together } from "./together.js";

together(document.querySelector(".all"));

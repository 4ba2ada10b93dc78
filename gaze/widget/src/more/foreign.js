/** Other servers, which have to allow this page to read from them. */

import { isOnline } from "../transfer.js";

export const isForeign = (url) => isOnline(url) && new URL(url).origin !== location.origin;

/** What to do where a request to another server brought no answer. */
export const advice = (url) => `${new URL(url).origin} has to allow this page (CORS)`;

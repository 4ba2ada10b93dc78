/** Names that the two files of the widget share. */

/** Where the second file leaves what it offers. */
export const SECOND = Symbol.for("gaze-tracker-more");

/** Where the first one leaves a function that counts the widgets of the page. */
export const COUNT = Symbol.for("gaze-tracker-count");

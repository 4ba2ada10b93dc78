/** The same as a classic script, which file:// and older tools want: it leaves nothing but the element. */

import "./index.js";

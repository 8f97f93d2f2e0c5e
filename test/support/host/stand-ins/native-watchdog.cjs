/**
 * Stands in for `native-watchdog`, a native thread that ends an extension host whose event loop is blocked after its parent died.
 * Nothing is lost: the extension host polls for its parent once a second itself, and a blocked one is ended with the server's
 * process group (tethered.mjs).
 */
"use strict";
exports.start = () => {};
exports.exit = (code) => process.exit(code ?? 0);

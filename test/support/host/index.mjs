/** The test host's public face; its types, with what everything means, are in index.d.mts. */
export { browserOptions, ensureBrowser, launchBrowser } from "./browser.mjs";
export { findDesktop, startDesktop } from "./desktop.mjs";
export { describeHostFault, HostFault } from "./fault.mjs";
export { ensureHost, VSCODE_VERSION } from "./install.mjs";
export { installOnce } from "./packages.mjs";
export { groupMembers, startServer } from "./server.mjs";

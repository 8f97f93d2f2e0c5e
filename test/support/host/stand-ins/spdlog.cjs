/**
 * Stands in for the native `@vscode/spdlog`, which has no prebuilt binary on npm. VS Code logs through it, and the Output panel
 * reads the files it writes, so this one really writes: every line at once (VS Code asks for a flush on every line), to one
 * file, with the size cap of the original but a single older file kept (`name.1.log`).
 */
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];
const OFF = LEVELS.length;

class Logger {
  #file;
  #maxBytes;
  #level = 2;
  #formatted = true;
  #bytes;

  constructor(_type, _name, file, maxBytes) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.#file = file;
    this.#maxBytes = maxBytes > 0 ? maxBytes : Number.POSITIVE_INFINITY;
    this.#bytes = fs.existsSync(file) ? fs.statSync(file).size : 0;
  }

  trace(message) {
    this.#write(0, message);
  }
  debug(message) {
    this.#write(1, message);
  }
  info(message) {
    this.#write(2, message);
  }
  warn(message) {
    this.#write(3, message);
  }
  error(message) {
    this.#write(4, message);
  }
  critical(message) {
    this.#write(5, message);
  }

  getLevel() {
    return this.#level;
  }
  setLevel(level) {
    this.#level = level;
  }
  /** VS Code sets one pattern only, "%Y-%m-%d %H:%M:%S.%e [%l] %v"; that is the format written. */
  setPattern() {
    this.#formatted = true;
  }
  /** Raw mode, for output channels: the message alone, which brings its own line ends. */
  clearFormatters() {
    this.#formatted = false;
  }
  flush() {}
  drop() {}

  #write(level, message) {
    if (level < this.#level || this.#level >= OFF) return;
    const line = this.#formatted ? `${timestamp(new Date())} [${LEVELS[level]}] ${message}\n` : message;
    try {
      if (this.#bytes > this.#maxBytes) this.#rotate();
      fs.appendFileSync(this.#file, line);
      this.#bytes += Buffer.byteLength(line);
    } catch (error) {
      // The log folder goes away with the server's data; a process that is still closing must not fail over its last lines.
      if (error.code !== "ENOENT") throw error;
    }
  }

  #rotate() {
    const { dir, name, ext } = path.parse(this.#file);
    fs.renameSync(this.#file, path.join(dir, `${name}.1${ext}`));
    this.#bytes = 0;
  }
}

function timestamp(date) {
  const two = (n) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const create = async (name, file, maxBytes) => new Logger("rotating", name, file, maxBytes);

exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;

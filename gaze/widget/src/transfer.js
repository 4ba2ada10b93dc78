/** Takes packs in: each once for the whole page, part by part, in one request. */

import { packHeader, partsOf } from "./pack.js";
import { second } from "./second.js";

const CUT_OFF = "it is cut off";

/** @type {Map<string, Transfer>} by URL; those that somebody uses */
const transfers = new Map();

export const isOnline = (url) => /^http/.test(url);

/** A pack on its way, shared by all that play it. */
export class Transfer {
  header = null;
  /** Of version 1: what arrived so far, and the rest; the first who plays it takes both, and leaves null. */
  old = null;
  filled = 0;
  /** What players share (decoded pictures), by a key of theirs. */
  shared = new Map();
  #bytes = null;
  #users = 0;
  #abort = new AbortController();
  #waiting = new Set();
  #error = null;
  /** Settles when the header is there. */
  begun;

  /** @returns {Transfer} to be closed by whoever asked for it */
  static open(url) {
    const transfer = transfers.get(url) ?? new Transfer(url);
    transfers.set(url, transfer);
    transfer.#users += 1;
    return transfer;
  }

  constructor(url) {
    this.url = url;
    this.begun = this.#begin();
    this.begun.catch(() => {});
  }

  close() {
    if (--this.#users) return;
    this.forget();
    this.#abort.abort();
    this.#fail(new Error("closed"));
  }

  /** Whoever asks for this URL from now on begins anew. */
  forget() {
    if (transfers.get(this.url) === this) transfers.delete(this.url);
  }

  /** Settles when the bytes from `start` up to `end` are there. */
  async bytes(start, end) {
    while (this.filled < end) {
      if (this.#error) throw this.#error;
      await new Promise((resolve) => this.#waiting.add(resolve));
    }
    return this.#bytes.subarray(start, end);
  }

  /** Settles when more bytes are there than before: true; false when no more come, though some are missing. */
  async more() {
    await new Promise((resolve) => this.#waiting.add(resolve));
    return !this.#error;
  }

  async #begin() {
    try {
      const parts = partsOf((await openPack(this.url, { signal: this.#abort.signal })).body);
      let head;
      while (!(this.header = head && packHeader(head))) {
        const { value, done } = await parts.next();
        if (done) throw new Error(CUT_OFF);
        head = head ? new Uint8Array([...head, ...value]) : value; // a header comes in one part, or in few
      }
      if (this.header.version === 1) {
        this.old = { head, parts };
        this.forget();
      } else {
        this.#fill(head, parts).catch((error) => this.#fail(error));
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #fill(head, parts) {
    const bytes = (this.#bytes = new Uint8Array(this.header.end));
    const put = (part) => {
      bytes.set(part.subarray(0, bytes.length - this.filled), this.filled);
      this.filled = Math.min(bytes.length, this.filled + part.length);
      this.#wake();
    };
    put(head);
    for await (const part of parts) put(part);
    if (this.filled < bytes.length) throw new Error(CUT_OFF);
  }

  #fail(error) {
    this.#error ??= error;
    this.forget();
    this.#wake();
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** @returns {Promise<Response>} a pack on its way */
export async function openPack(url, options) {
  const { embeddedPack } = url.startsWith("file:") ? await second() : {};
  const response = await fetch(embeddedPack ? await embeddedPack(url) : url, options).catch((error) => {
    error.isRefused = true; // what that means is said in more/foreign.js
    throw error;
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response;
}

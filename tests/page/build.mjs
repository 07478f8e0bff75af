// Fills the template of the page, as the program does.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { join } from "node:path";

// In this order: each file uses only names of itself and of those before it while it is read.
export const SCRIPTS = [
  "model.js",
  "messages.js",
  "states.js",
  "spans.js",
  "shapes.js",
  "rows.js",
  "diagram.js",
  "overview.js",
  "panels.js",
  "app.js",
  "main.js",
];

export function pack(data) {
  return gzipSync(JSON.stringify(data), { level: 6 }).toString("base64");
}

/** The page with the given packed data. */
export function pageOf(viewDirectory, packed) {
  const read = (name) => readFileSync(join(viewDirectory, name), "utf8");
  const parts = {
    "/*VIEWER_CSS*/": read("viewer.css"),
    "/*VIEWER_JS*/": SCRIPTS.map(read).join("\n"),
    VIEWER_DATA: packed,
  };
  // One pass over the template: a placeholder inside an inserted part is left alone.
  return read("page.html").replace(/\/\*VIEWER_(?:CSS|JS)\*\/|VIEWER_DATA/g, (name) => parts[name]);
}

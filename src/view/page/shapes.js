// Shapes, colours and texts on a canvas; nothing here knows the run.

// Okabe and Ito's colours, which colour-blind people can tell apart. Vermillion is left out: the
// page uses it for trouble. The number of the term is always written as well.
const TERM_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442"];
const LIGHT_TEXT_ON = new Set(["#0072b2", "#009e73"]);
const NO_TERM_COLOUR = "#8a8f98";

const termColour = (term) =>
  term > 0 ? TERM_COLOURS[(term - 1) % TERM_COLOURS.length] : NO_TERM_COLOUR;
const textOnTerm = (term) => (LIGHT_TEXT_ON.has(termColour(term)) ? "#ffffff" : "#111111");

const FACE = "system-ui, sans-serif";
const [TINY, SMALL, PLAIN] = [9, 10, 11].map((size) => `${size}px ${FACE}`);
const [STRONG, BOLD] = [11, 12].map((size) => `bold ${size}px ${FACE}`);

// A bit of an arrow's style, besides the bits of its message: the arrow is outside the cone.
const DIM = 64;

/** The colours of the style sheet, for the canvas. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "ink", "faint", "line", "accent", "trouble", "late", "repeated", "beat",
    "arrow", "good", "shade", "durable", "commit", "applied"];
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(names.map((name) => [name, colour(name)]));
}

function strokeArrows(context, bits, lines, theme, detailed, dim, width = 1.2) {
  context.strokeStyle = context.fillStyle = arrowColour(bits, theme);
  context.lineWidth = width * (bits & BEAT ? 0.7 : bits & REPLY ? 0.8 : 1);
  context.globalAlpha = dim ? 0.08 : detailed ? 1 : bits & BEAT ? 0.12 : 0.25;
  // Dashes on thousands of lines cost more time than a frame has.
  context.setLineDash(detailed ? arrowDash(bits) : []);
  context.beginPath();
  for (let n = 0; n < lines.length; n += 4) {
    context.moveTo(lines[n], lines[n + 1]);
    context.lineTo(lines[n + 2], lines[n + 3]);
  }
  context.stroke();
  context.setLineDash([]);
  if (detailed) {
    for (let n = 0; n < lines.length; n += 4) {
      drawEnd(context, bits, lines[n], lines[n + 1], lines[n + 2], lines[n + 3]);
    }
  }
  context.globalAlpha = 1;
}

function arrowColour(bits, theme) {
  if (bits & LOST) return theme.trouble;
  if (bits & LATE) return theme.late;
  if (bits & REPEATED) return theme.repeated;
  return bits & BEAT ? theme.beat : theme.arrow;
}

function arrowDash(bits) {
  if (bits & LOST) return [6, 3];
  if (bits & LATE) return [9, 3, 2, 3];
  return bits & REPLY ? [3, 2] : [];
}

/** Arrows that need attention are drawn over the others. */
function arrowRank(key) {
  const trouble = key & LOST ? 4 : key & (LATE | REPEATED) ? 2 : 0;
  return trouble + (key & BEAT ? 0 : 1) + (key & DIM ? 0 : 8);
}

function drawEnd(context, bits, x0, y0, x1, y1) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  if (bits & LOST) return drawCross(context, x1, y1, 4);
  if (bits & OPEN) return drawRing(context, x1, y1, 2.5);
  drawHead(context, x1, y1, angle, !(bits & REPLY));
  if (bits & REPEATED) {
    drawHead(context, x1 - 7 * Math.cos(angle), y1 - 7 * Math.sin(angle), angle, true);
  }
}

function drawHead(context, x, y, angle, filled) {
  const side = (turn) => [x - 8 * Math.cos(angle + turn), y - 8 * Math.sin(angle + turn)];
  context.beginPath();
  context.moveTo(...side(0.38));
  context.lineTo(x, y);
  context.lineTo(...side(-0.38));
  if (filled) context.fill();
  else context.stroke();
}

function drawCross(context, x, y, size) {
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x - size, y + size);
  context.lineTo(x + size, y - size);
  context.stroke();
}

function drawRing(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function verticalLine(context, x, from, to) {
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
}

function polygon(context, points, colour, filled) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 1.3;
  if (filled) context.fill();
  else context.stroke();
}

/** The linearization point: two wedges, between which the operation's words stay readable. */
function drawPoint(context, x, top, bottom, theme) {
  const wedge = (edge, tip) =>
    polygon(context, [[x - 3.5, edge], [x + 3.5, edge], [x, tip]], theme.accent, true);
  wedge(top, top + 6);
  wedge(bottom, bottom - 6);
}

const square = (x, y, r) => [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]];
const diamond = (x, y, r) => [[x, y - r], [x + r, y], [x, y + r], [x - r, y]];

// How each kind of event is marked, by its number. Kinds without a mark are arrows or bands.
const GLYPHS = [];
GLYPHS[KIND.ballot] = (c, x, y, theme) => polygon(c, diamond(x, y - 2, 4), theme.ink, false);
GLYPHS[KIND.entries] = (c, x, y, theme) => polygon(c, square(x, y - 2, 3), theme.ink, false);
GLYPHS[KIND.snapshot] = (c, x, y, theme) => polygon(c, square(x, y - 2, 4), theme.repeated, true);
GLYPHS[KIND.synced] = (c, x, y, theme) => {
  c.fillStyle = theme.good;
  c.beginPath();
  c.arc(x, y + 5, 2.4, 0, 2 * Math.PI);
  c.fill();
};
GLYPHS[KIND.applied] = (c, x, y, theme) => {
  c.fillStyle = theme.applied;
  c.fillRect(x - 0.75, y - 6, 1.5, 9);
};
GLYPHS[KIND.installed] = (c, x, y, theme) => {
  c.fillStyle = theme.applied;
  c.fillRect(x - 2.5, y - 6, 2, 9);
  c.fillRect(x + 0.5, y - 6, 2, 9);
};
GLYPHS[KIND.started] = (c, x, y, theme) =>
  polygon(c, [[x, y - 23], [x + 8, y - 18], [x, y - 13]], theme.good, true);
GLYPHS[KIND.crashed] = (c, x, y, theme) => {
  c.strokeStyle = theme.trouble;
  drawCross(c, x, y - 18, 5);
};
GLYPHS[KIND.broken] = (c, x, y, theme) =>
  polygon(c, [[x - 6, y - 30], [x + 6, y - 30], [x, y - 20]], theme.trouble, true);
GLYPHS[KIND.note] = (c, x, y, theme) => {
  c.fillStyle = theme.faint;
  c.fillRect(x - 1, y + 4, 2, 2);
};

/** A pattern of diagonal lines. */
function stripes(context, colour, size) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = size / 4;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

function fitCanvas(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

function bandWords(context, up, role, term, room) {
  const name = ROLES[role];
  const choices = up
    ? [`${name} · term ${term}`, `${name} ${term}`, `${name[0].toUpperCase()} ${term}`, `${term}`]
    : ["down"];
  context.font = STRONG;
  return choices.find((words) => context.measureText(words).width <= room) ?? "";
}

/** As much of the text as fits into the room, with an ellipsis if it is cut. */
function fitted(context, text, room, font = PLAIN) {
  context.font = font;
  const whole = shortened(text, 400);
  if (room < 8) return "";
  if (context.measureText(whole).width <= room) return whole;
  let low = 0;
  let high = Math.min(whole.length, Math.ceil(room / 2));
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${whole.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low > 0 ? `${whole.slice(0, low)}…` : "";
}

/** The next of 1, 2, 5, 10, 20, … that is at least the value. */
function roundStep(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= value * 0.999);
}

/** The part of a line that may be seen: dashes on a very long line take very long to draw. */
function clipLine(x0, y0, x1, y1, width) {
  const low = -40;
  const high = width + 40;
  if ((x0 < low && x1 < low) || (x0 > high && x1 > high)) return null;
  const at = (x) => y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
  const clamp = (x) => Math.min(high, Math.max(low, x));
  const [start, end] = [clamp(x0), clamp(x1)];
  return [start, start === x0 ? y0 : at(start), end, end === x1 ? y1 : at(end)];
}

function distanceToLine(x, y, [x0, y0, x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / (length || 1);
  const part = Math.max(0, Math.min(1, along));
  return Math.hypot(x - x0 - part * (x1 - x0), y - y0 - part * (y1 - y0));
}

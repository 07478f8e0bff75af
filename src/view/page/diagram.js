// Everything that is drawn over the rows (messages, marks, the cursor), and what the pointer is on.

// With more arrows in the window than this, they are drawn without heads, marks and names.
const ARROWS_IN_DETAIL = 700;
const ARROWS_WITH_NAMES = 40;
const EVENTS_WITH_MARKS = 12000;
// Marks of these kinds are drawn however many events are in the window.
const RARE = new Set([KIND.started, KIND.crashed, KIND.broken, KIND.installed]);

/** The whole diagram. */
class Diagram extends Rows {
  constructor(canvas, model) {
    super(canvas, model);
    this.crossing = new Int32Array(model.arrows.count);
    model.marked = eventsWhere(model, (i) => GLYPHS[model.kind[i]] !== undefined);
    model.rare = model.marked.filter((i) => RARE.has(model.kind[i]));
    this.drawnAt = new Int32Array(1 << 16);
  }

  draw(app) {
    this.from = app.from;
    this.to = app.to;
    const { context } = this;
    const scale = this.canvas.width / this.width;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = this.theme.paper;
    context.fillRect(0, 0, this.width, this.height);
    this.scale = this.indexScale();
    this.findCrossing(app);
    this.drawNames(app);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, this.width - GUTTER, this.height);
    context.clip();
    this.drawAxis();
    this.drawSteps(app);
    // A crowd of arrows would hide the bands, so it is drawn behind them.
    const crowded = this.crossingCount >= ARROWS_IN_DETAIL;
    if (crowded) this.drawArrows(app);
    this.drawRows();
    if (app.cone) this.dimOutside(app.cone);
    if (!crowded) this.drawArrows(app);
    this.drawMarks(app);
    this.drawCursor(app);
    context.restore();
  }

  dimOutside({ before, after }) {
    const { context, model, theme } = this;
    context.fillStyle = theme.paper;
    context.globalAlpha = 0.72;
    for (const row of this.rows) {
      const from = before[row.lane] < 0 ? this.from : model.at[before[row.lane]];
      const to = after[row.lane] >= model.count ? this.to : model.at[after[row.lane]];
      const x = Math.max(this.x(from), GUTTER);
      if (to > from) context.fillRect(x, row.top, this.x(to) - x, row.height);
    }
    context.globalAlpha = 1;
  }

  // Arrows.

  /** Collects the arrows that cross the window and pass the filter. */
  findCrossing({ shownArrows }) {
    let count = 0;
    eachArrow(this.model.arrows, this.from, this.to, (i) => {
      if (shownArrows[i]) this.crossing[count++] = i;
    });
    this.crossingCount = count;
  }

  drawArrows(app) {
    const count = this.crossingCount;
    const detailed = count < ARROWS_IN_DETAIL;
    for (const [key, lines] of this.batchArrows(app, count, detailed)) {
      strokeArrows(this.context, key & ~DIM, lines, this.theme, detailed, (key & DIM) > 0);
    }
    if (count < ARROWS_WITH_NAMES) this.nameArrows(app, count);
    this.drawSelectedCall(app);
  }

  /** Collects the lines of arrows by style. If there are many, close lines are drawn as one. */
  batchArrows(app, count, detailed) {
    const { arrows } = this.model;
    const grid = detailed ? 1 : count < 10000 ? 4 : 12;
    const batches = new Map();
    this.drawnAt.fill(-1);
    for (let n = 0; n < count; n++) {
      const i = this.crossing[n];
      const bits = detailed ? arrows.bits[i] : arrows.bits[i] & (LOST | BEAT);
      const key = bits | (this.isDim(app, i) ? DIM : 0);
      if (!detailed && this.isCovered(i, key, grid)) continue;
      const line = this.arrowLine(i);
      if (!line) continue;
      if (!batches.has(key)) batches.set(key, []);
      batches.get(key).push(...line);
    }
    return [...batches].sort(([a], [b]) => arrowRank(a) - arrowRank(b));
  }

  /** Whether an arrow between the same rows and of the same style was drawn at this place. */
  isCovered(i, key, grid) {
    const { laneFrom, laneTo, start } = this.model.arrows;
    const [a, b] = [laneFrom[i], laneTo[i]];
    const slot = ((Math.min(a, b) * LANES_MAX + Math.max(a, b)) * 128 + key) & 0xffff;
    const place = Math.floor(this.x(start[i]) / grid);
    if (this.drawnAt[slot] === place) return true;
    this.drawnAt[slot] = place;
    return false;
  }

  isDim({ cone }, i) {
    if (!cone) return false;
    const { from, to } = this.model.arrows;
    return !inCone(this.model, cone, from[i]) || (to[i] >= 0 && !inCone(this.model, cone, to[i]));
  }

  /** Where an arrow begins and ends; arrows that did not arrive end half-way. */
  arrowLine(i) {
    const { laneFrom, laneTo, start, end, to } = this.model.arrows;
    const source = this.rows[laneFrom[i]];
    const target = this.rows[laneTo[i]];
    if (!source || !target || source === target) return null;
    const down = source.top < target.top;
    const y0 = down ? source.band + source.bandHeight : source.band;
    const y1 = down ? target.band : target.band + target.bandHeight;
    const x0 = this.x(start[i]);
    const x1 = this.x(end[i]);
    const part = to[i] < 0 ? 0.5 : 1;
    return clipLine(x0, y0, x0 + (x1 - x0) * part, y0 + (y1 - y0) * part, this.width);
  }

  nameArrows({ cone }, count) {
    const { arrows, calls } = this.model;
    const { context, theme } = this;
    for (let n = 0; n < count; n++) {
      const i = this.crossing[n];
      if (arrows.bits[i] & (BEAT | REPLY) || (cone && this.isDim({ cone }, i))) continue;
      const line = this.arrowLine(i);
      if (!line) continue;
      const [x0, y0, x1, y1] = line;
      const length = Math.hypot(x1 - x0, y1 - y0);
      const { method, number } = calls[arrows.call[i]];
      if (length < 70 || Math.abs(x1 - x0) < 24) continue;
      const words = fitted(context, `${method} #${number}`, length - 30, SMALL);
      context.save();
      context.translate(x0 + (x1 - x0) * 0.6, y0 + (y1 - y0) * 0.6);
      context.rotate(Math.atan2(y1 - y0, x1 - x0));
      this.writeClear(words, -context.measureText(words).width / 2, -3, theme.ink, SMALL);
      context.restore();
    }
  }

  drawSelectedCall({ selected }) {
    const { model, context } = this;
    const theme = { ...this.theme, arrow: this.theme.accent };
    if (selected < 0 || model.call[selected] < 0) return;
    for (let n = 0; n < this.crossingCount; n++) {
      const i = this.crossing[n];
      if (model.arrows.call[i] !== model.call[selected]) continue;
      const line = this.arrowLine(i);
      const bits = model.arrows.bits[i] & ~BEAT;
      if (line) strokeArrows(context, bits, line, theme, true, false, 2.6);
    }
  }

  // Marks.

  drawMarks(app) {
    const { model } = this;
    const first = upperBound(model.at, this.from - 1);
    const last = upperBound(model.at, this.to);
    const crowded = last - first > EVENTS_WITH_MARKS;
    const events = crowded ? model.rare : model.marked;
    const drawnAt = new Float64Array(this.rows.length * KINDS.length).fill(-10);
    for (let n = upperBound(events, first - 1); n < events.length && events[n] < last; n++) {
      const i = events[n];
      const row = this.rows[model.lane[i]];
      const glyph = GLYPHS[model.kind[i]];
      if (!row?.server) continue;
      const x = this.x(model.at[i]);
      const slot = row.lane * KINDS.length + model.kind[i];
      if (x - drawnAt[slot] < 4) continue;
      drawnAt[slot] = x;
      this.context.globalAlpha = app.cone && !inCone(model, app.cone, i) ? 0.15 : 1;
      glyph(this.context, x, row.band + BAND + MARKS / 2, this.theme, row);
    }
    this.context.globalAlpha = 1;
    if (app.selected >= 0) this.ringSelected(app.selected);
  }

  ringSelected(selected) {
    const { context, model, theme } = this;
    const row = this.rows[model.lane[selected]];
    const x = this.x(model.at[selected]);
    const y = row ? (row.server ? row.band + BAND + MARKS / 2 : row.band) : AXIS;
    context.strokeStyle = theme.accent;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.stroke();
  }

  drawCursor({ cursor, violation }) {
    const { context, theme } = this;
    if (violation) {
      const x = this.x(violation.at);
      context.strokeStyle = context.fillStyle = theme.trouble;
      context.lineWidth = 1.5;
      context.setLineDash([6, 4]);
      verticalLine(context, x, AXIS - 6, this.height);
      context.setLineDash([]);
      context.fillRect(x, AXIS - 9, 58, 13);
      this.write("failure", x + 8, AXIS + 1, theme.paper, STRONG);
    }
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    verticalLine(context, this.x(cursor), 0, this.height);
  }

  // What is under the pointer.

  /** The event nearest to a point, or -1; and the lane of the row, or -1. */
  pick(x, y) {
    const row = this.rows.find(({ top, height }) => y >= top && y < top + height);
    const lane = row ? row.lane : -1;
    if (x < GUTTER) return { event: -1, lane };
    const onMark = row?.server && y >= row.band && y < row.band + BAND + MARKS;
    let event = onMark ? this.nearestEvent(lane, x) : -1;
    if (event < 0) event = this.arrowNear(x, y);
    if (event < 0) event = this.spanNear(x, y, row);
    return { event, lane };
  }

  nearestEvent(lane, x) {
    const { model } = this;
    const marks = model.marks[lane];
    let best = -1;
    let distance = 6;
    const start = Math.max(0, upperBound(marks, upperBound(model.at, this.time(x - 6)) - 1) - 1);
    for (let n = start; n < marks.length && this.x(model.at[marks[n]]) < x + 6; n++) {
      // Of two events at one place, the one with a mark is meant.
      const bonus = GLYPHS[model.kind[marks[n]]] ? 1 : 0;
      const away = Math.abs(this.x(model.at[marks[n]]) - x) - bonus;
      if (away < distance) [best, distance] = [marks[n], away];
    }
    return best;
  }

  arrowNear(x, y) {
    if (this.crossingCount >= 4 * ARROWS_IN_DETAIL) return -1;
    const { arrows } = this.model;
    let best = -1;
    let distance = 5;
    for (let n = 0; n < this.crossingCount; n++) {
      const line = this.arrowLine(this.crossing[n]);
      const away = line ? distanceToLine(x, y, line) : Infinity;
      if (away < distance) [best, distance] = [this.crossing[n], away];
    }
    if (best < 0) return -1;
    const nearEnd = arrows.to[best] >= 0 &&
      Math.abs(this.x(arrows.end[best]) - x) < Math.abs(this.x(arrows.start[best]) - x);
    return nearEnd ? arrows.to[best] : arrows.from[best];
  }

  spanNear(x, y, row) {
    const { steps, operations } = this.model;
    if (y >= AXIS && y < AXIS + steps.levels * STEP) {
      return this.spanAt(steps, Math.floor((y - AXIS) / STEP), x);
    }
    if (!row || row.server) return -1;
    return this.spanAt(operations[row.lane], Math.floor((y - row.top) / OPERATION), x);
  }

  spanAt(list, level, x) {
    const time = this.time(x);
    for (let i = spanIndex(list, time); i >= 0; i--) {
      const { from, to } = list[i];
      if (list[i].level === level && (to >= time || this.x(from) > x - 60)) return list[i].event;
    }
    return -1;
  }
}

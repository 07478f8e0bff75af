// The rows of the diagram: steps, servers and clients over one axis of time, on a canvas.

const GUTTER = 84;
const AXIS = 24;
const STEP = 16;
const CUT = 13;
const BAND = 20;
const MARKS = 16;
const CHART = 28;
const GAP = 14;
const OPERATION = 17;

/** Gives each lane its place from top to bottom. */
function layOut(model) {
  const rows = [];
  const cutHeight = model.cuts.length + model.stalls.length > 0 ? CUT : 0;
  let top = AXIS + model.steps.levels * STEP + 8;
  model.lanes.slice(0, LANES_MAX).forEach((lane, i) => {
    const height = lane.server
      ? cutHeight + BAND + MARKS + CHART + GAP
      : model.operations[i].levels * OPERATION + 8;
    const band = top + (lane.server ? cutHeight : 0);
    const bandHeight = lane.server ? BAND : height - 8;
    rows.push({ lane: i, server: lane.server, top, height, cutHeight, band, bandHeight });
    top += height;
  });
  return { rows, height: top + 6 };
}

/** The axis of time and the rows: everything in the diagram but messages and marks. */
class Rows {
  constructor(canvas, model) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.model = model;
    Object.assign(this, layOut(model));
    this.width = 300;
    this.from = 0;
    this.to = 1;
    this.setTheme();
  }

  setTheme() {
    this.theme = readTheme();
    this.hatch = stripes(this.context, this.theme.faint, 6);
    this.stripesOfTerm = new Map();
  }

  resize(width) {
    this.width = Math.max(width, GUTTER + 100);
    fitCanvas(this.canvas, this.width, this.height);
  }

  x(time) {
    return GUTTER + ((time - this.from) / (this.to - this.from)) * (this.width - GUTTER);
  }

  time(x) {
    return this.from + ((x - GUTTER) / (this.width - GUTTER)) * (this.to - this.from);
  }

  drawNames({ lane }) {
    const { context, model, theme } = this;
    this.write("steps", 8, AXIS + 12, theme.faint);
    for (const row of this.rows) {
      const { name, played } = model.lanes[row.lane];
      const middle = row.band + Math.min(row.bandHeight, BAND) / 2 + 4;
      if (row.lane === lane) {
        context.fillStyle = theme.accent;
        context.fillRect(0, row.band, 3, row.bandHeight);
      }
      this.write(fitted(context, name, GUTTER - 14, BOLD), 8, middle, theme.ink, BOLD);
      if (played) this.write("played", 8, middle + 14, theme.faint);
      if (row.server) this.drawScale(row.band + BAND + MARKS);
    }
  }

  /** Writes the lowest and the highest index next to each chart. */
  drawScale(top) {
    const { low, high } = this.scale;
    const font = TINY;
    this.write(String(high), GUTTER - 4, top + 8, this.theme.faint, font, "right");
    this.write(String(low), GUTTER - 4, top + CHART, this.theme.faint, font, "right");
  }

  write(text, x, y, colour, font = PLAIN, align = "left") {
    const { context } = this;
    context.font = font;
    context.fillStyle = colour;
    context.textAlign = align;
    context.fillText(text, x, y);
    context.textAlign = "left";
  }

  /** Writes with an outline in the paper's colour, for text over stripes and lines. */
  writeClear(text, x, y, colour, font) {
    const { context } = this;
    context.font = font;
    context.strokeStyle = this.theme.paper;
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeText(text, x, y);
    this.write(text, x, y, colour, font);
  }

  drawAxis() {
    const { context, theme } = this;
    const step = roundStep((this.to - this.from) / ((this.width - GUTTER) / 110));
    const digits = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step) + 1e-9)));
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.beginPath();
    for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, this.height);
      this.write(`${seconds(t, digits)} s`, x + 3, 12, theme.faint);
    }
    context.stroke();
  }

  /** Draws the steps from right to left: a step's words may fill the room before the next step. */
  drawSteps(app) {
    const { steps } = this.model;
    const nextX = new Array(steps.levels).fill(this.width);
    for (let i = spanIndex(steps, this.to); i >= 0; i--) {
      const { from, level } = steps[i];
      if (nextX[level] <= GUTTER) continue;
      this.drawStep(app, steps[i], nextX[level]);
      nextX[level] = this.x(from);
    }
  }

  /** Draws one step. The last step that began before the window has its words at the left edge. */
  drawStep({ selected }, { event, from, to, level }, nextX) {
    const { context, model, theme } = this;
    const x = Math.max(this.x(from), GUTTER);
    const y = AXIS + level * STEP;
    const over = this.x(to) < GUTTER;
    context.fillStyle = theme.shade;
    context.fillRect(x, y, Math.max(0, this.x(to) - x), STEP - 2);
    context.fillStyle = event === selected ? theme.accent : theme.faint;
    if (!over) context.fillRect(x, y, 2, STEP - 2);
    const room = Math.min(nextX - x - 8, 420);
    const words = fitted(context, wordsOf(model.events[event].text), room);
    if (room > 20) this.write(words, x + 5, y + 11, over ? theme.faint : theme.ink);
  }

  drawRows() {
    for (const row of this.rows) {
      if (row.server) {
        this.drawBands(row);
        this.drawChart(row);
      } else this.drawOperations(row);
    }
    for (const cut of this.model.cuts) this.drawFault(cut);
    for (const stall of this.model.stalls) this.drawFault(stall);
  }

  drawFault({ lane, from, to, words }) {
    if (to < this.from || from > this.to) return;
    const row = this.rows[lane];
    if (!row) return;
    const { context, theme } = this;
    const x = Math.max(this.x(from), GUTTER);
    const width = Math.max(1, Math.min(this.x(to), this.width) - x);
    context.fillStyle = words === "stall" ? theme.late : theme.trouble;
    context.globalAlpha = 0.22;
    context.fillRect(x, row.top, width, CUT - 2);
    context.globalAlpha = 1;
    context.fillRect(x, row.top + CUT - 3, width, 1.5);
    if (width > 30) {
      this.write(fitted(context, words, width - 8, SMALL), x + 4,
        row.top + 9, theme.ink, SMALL);
    }
  }

  drawBands(row) {
    const { list, from } = this.model.states[row.lane].bands;
    let drawnTo = -1;
    let drawnRank = 0;
    for (let i = Math.max(0, upperBound(from, this.from) - 1); i < list.length; i++) {
      const band = list[i];
      if (band.from > this.to) break;
      const x = Math.max(this.x(band.from), GUTTER);
      const end = Math.max(x + 1, Math.min(this.x(band.to), this.width));
      // If several bands share one pixel, the most important band is drawn.
      const rank = band.up ? band.role + 2 : 1;
      if (end <= drawnTo + 0.5 && rank <= drawnRank) continue;
      this.drawBand(row, band, x, end - x);
      drawnTo = end;
      drawnRank = rank;
    }
  }

  drawBand({ band: y }, { up, role, term }, x, width) {
    const { context, theme } = this;
    const colour = termColour(term);
    if (!up) context.fillStyle = this.hatch;
    else if (role === CANDIDATE) context.fillStyle = this.stripesOf(colour);
    else context.fillStyle = colour;
    context.globalAlpha = up && role === FOLLOWER ? 0.28 : 1;
    context.fillRect(x, y, width, BAND);
    context.globalAlpha = 1;
    if (up) {
      context.fillStyle = colour;
      context.fillRect(x, y, Math.min(width, 1.5), BAND);
      context.fillRect(x, y + BAND - 2, width, 2);
    }
    if (width < 12) return;
    const words = bandWords(context, up, role, term, width - 8);
    const font = role === LEADER && up ? STRONG : PLAIN;
    if (up && role === LEADER) this.write(words, x + 5, y + 14, textOnTerm(term), font);
    else this.writeClear(words, x + 5, y + 14, up ? theme.ink : theme.faint, font);
  }

  stripesOf(colour) {
    if (!this.stripesOfTerm.has(colour)) {
      this.stripesOfTerm.set(colour, stripes(this.context, colour, 8));
    }
    return this.stripesOfTerm.get(colour);
  }

  /** The range of log indices in the window, over all servers so that charts can be compared. */
  indexScale() {
    let low = Infinity;
    let high = 1;
    for (const states of this.model.states) {
      if (!states) continue;
      const first = Math.max(0, upperBound(states.at, this.from) - 1);
      const last = upperBound(states.at, this.to);
      for (let n = first; n < last; n++) {
        if (!states.up[n]) continue;
        low = Math.min(low, states.commit[n], states.applied[n], states.last[n]);
        high = Math.max(high, states.last[n], states.durable[n], states.commit[n]);
      }
    }
    low = Number.isFinite(low) ? Math.min(low, high - 1) : 0;
    return { low, high };
  }

  drawChart(row) {
    const { theme } = this;
    const { low, high } = this.scale;
    const states = this.model.states[row.lane];
    const top = row.band + BAND + MARKS;
    const y = (index) => top + CHART - 2 - ((index - low) / (high - low)) * (CHART - 4);
    const samples = this.sampleTimes(states);
    this.fillSeries(samples, states.durable, y, theme.durable, top + CHART);
    this.fillSeries(samples, states.commit, y, theme.commit, top + CHART);
    this.strokeSeries(samples, states.last, y, theme.ink, 1);
    this.strokeSeries(samples, states.applied, y, theme.applied, 1.4, [3, 3]);
  }

  /** One position in the columns per pixel; -1 where the server is down or the run is over. */
  sampleTimes(states) {
    const samples = new Int32Array(this.width - GUTTER + 1);
    let n = upperBound(states.at, this.from) - 1;
    for (let pixel = 0; pixel < samples.length; pixel++) {
      const time = this.time(GUTTER + pixel);
      while (n + 1 < states.at.length && states.at[n + 1] <= time) n++;
      samples[pixel] = n >= 0 && states.up[n] && time <= this.model.span.to ? n : -1;
    }
    return samples;
  }

  fillSeries(samples, column, y, colour, bottom) {
    const { context } = this;
    context.fillStyle = colour;
    let start = 0;
    for (let pixel = 1; pixel <= samples.length; pixel++) {
      const n = samples[start];
      const same = pixel < samples.length && (samples[pixel] === n ||
        (n >= 0 && samples[pixel] >= 0 && column[samples[pixel]] === column[n]));
      if (same) continue;
      if (n >= 0) {
        context.fillRect(GUTTER + start, y(column[n]), pixel - start, bottom - y(column[n]));
      }
      start = pixel;
    }
  }

  strokeSeries(samples, column, y, colour, width, dash = []) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    let before = NaN;
    for (let pixel = 0; pixel < samples.length; pixel++) {
      const n = samples[pixel];
      const value = n < 0 ? NaN : column[n];
      if (value === before) continue;
      if (!Number.isNaN(before)) context.lineTo(GUTTER + pixel, y(before));
      if (!Number.isNaN(value)) {
        if (Number.isNaN(before)) context.moveTo(GUTTER + pixel, y(value));
        else context.lineTo(GUTTER + pixel, y(value));
      }
      before = value;
    }
    if (!Number.isNaN(before)) context.lineTo(this.width, y(before));
    context.stroke();
    context.setLineDash([]);
  }

  drawOperations(row) {
    const list = this.model.operations[row.lane];
    const drawnTo = [];
    const limit = spanIndex(list, this.to);
    for (let i = 0; i <= limit; i++) {
      if (list[i].to < this.from) continue;
      const x = Math.max(this.x(list[i].from), GUTTER);
      const end = Math.min(this.x(list[i].to), this.width + 5);
      if (end <= (drawnTo[list[i].level] ?? 0) + 1 && end - x < 1) continue;
      drawnTo[list[i].level] = end;
      this.drawOperation(list[i], x, Math.max(1, end - x), row.top + list[i].level * OPERATION);
    }
  }

  drawOperation(operation, x, width, y) {
    const { context, theme } = this;
    const certain = operation.ok && !operation.open;
    context.fillStyle = certain ? theme.shade : this.hatch;
    context.fillRect(x, y, width, OPERATION - 3);
    if (width > 2 || operation.conflict) {
      context.strokeStyle = operation.conflict ? theme.trouble : theme.faint;
      context.lineWidth = operation.conflict ? 2 : 1;
      context.setLineDash(certain ? [] : [3, 2]);
      context.strokeRect(x + 0.5, y + 0.5, width - 1, OPERATION - 4);
      context.setLineDash([]);
    }
    if (width > 24) {
      this.writeClear(fitted(context, operation.words, width - 8), x + 4, y + 11, theme.ink, PLAIN);
    }
    if (operation.point != null && width > 8) {
      drawPoint(context, this.x(operation.point), y - 2, y + OPERATION - 1, theme);
    }
  }
}

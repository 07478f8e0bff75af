// The state of the page: what the user has chosen, how that changes, and the address that keeps it.

const WINDOW_OF_FAILURE = 400e6;
const NARROWEST = 1000;

/** What the page shows at the moment, and the parts that show it. */
class App {
  constructor(model) {
    this.model = model;
    this.filter = emptyFilter();
    this.selected = -1;
    this.lane = -1;
    this.coneWanted = false;
    this.cone = null;
    this.query = "";
    // The address as the page last wrote or read it.
    this.address = location.hash;
    this.matches = new Int32Array(0);
    this.violation = firstViolation(model);
    this.diagram = new Diagram(byId("diagram"), model);
    this.overview = new Overview(byId("overview"), model);
    this.list = new EventList(byId("list"), model, (event) => this.select(event));
    this.from = model.span.from;
    this.to = model.span.to;
    this.cursor = model.span.from;
    this.applyFilter();
  }

  // Window and cursor.

  setWindow(from, to) {
    const { span } = this.model;
    const all = (span.to - span.from) * 1.1;
    const width = Math.min(all, Math.max(NARROWEST, to - from));
    const middle = Math.min(span.to, Math.max(span.from, (from + to) / 2));
    this.from = middle - width / 2;
    this.to = middle + width / 2;
    this.changed();
  }

  fit() {
    const { from, to } = this.model.span;
    const margin = (to - from) * 0.02;
    this.setWindow(from - margin, to + margin);
  }

  zoom(factor, time = this.cursorIsVisible() ? this.cursor : (this.from + this.to) / 2) {
    const { from, to } = this.model.span;
    const width = Math.min((to - from) * 1.1, Math.max(NARROWEST, (this.to - this.from) * factor));
    const before = (time - this.from) / (this.to - this.from);
    this.setWindow(time - before * width, time + (1 - before) * width);
  }

  pan(part) {
    const shift = (this.to - this.from) * part;
    this.setWindow(this.from + shift, this.to + shift);
  }

  cursorIsVisible() {
    return this.cursor >= this.from && this.cursor <= this.to;
  }

  /** Puts the cursor on a time; no event is selected then. */
  moveCursor(time, lane = this.lane) {
    const { span } = this.model;
    this.cursor = Math.min(span.to, Math.max(span.from, time));
    this.selected = -1;
    this.lane = lane;
    this.cursorChanged();
  }

  /** Selects an event, and moves the window if the event is outside. */
  select(event) {
    if (event < 0 || event >= this.model.count) return;
    this.selected = event;
    this.cursor = this.model.at[event];
    if (this.model.lane[event] >= 0) this.lane = this.model.lane[event];
    if (!this.cursorIsVisible()) this.center(this.cursor);
    this.cursorChanged();
  }

  center(time, width = this.to - this.from) {
    this.setWindow(time - width / 2, time + width / 2);
  }

  cursorChanged() {
    this.cone = this.coneWanted ? coneOf(this.model, this.selected) : null;
    this.panelsChanged = true;
    this.changed();
  }

  /** The last event that has happened at the cursor. */
  get index() {
    return this.selected >= 0 ? this.selected : upperBound(this.model.at, this.cursor) - 1;
  }

  // Going from event to event.

  goTo(event) {
    if (event === undefined) say("There is none in this direction.");
    else this.select(event);
  }

  next(events) {
    this.goTo(events[upperBound(events, this.index)]);
  }

  previous(events) {
    const { index } = this;
    // Without a selected event, the last event before the cursor is itself the previous one.
    const before = upperBound(events, this.selected >= 0 ? index - 1 : index);
    this.goTo(events[before - 1]);
  }

  ofServer() {
    const { lane, model, rows } = this;
    return lane < 0 ? rows : rows.filter((i) => model.lane[i] === lane);
  }

  goToFailure() {
    if (!this.violation) return say("This run has no failure.");
    const { event, at } = this.violation;
    this.center(at, Math.min(WINDOW_OF_FAILURE, this.to - this.from));
    if (event >= 0) this.select(event);
    else this.moveCursor(at);
  }

  /** From one end of the selected message to the other. */
  followMessage() {
    const { model, selected } = this;
    if (selected < 0 || model.call[selected] < 0) return say("Select an event of a message first.");
    const { sent, delivered, answered, returned } = model.calls[model.call[selected]];
    const ends = [sent, ...delivered, ...answered, returned].filter((i) => i >= 0);
    ends.sort((a, b) => a - b);
    this.goTo(ends[upperBound(ends, selected)] ?? ends[0]);
  }

  // Filters and search.

  applyFilter() {
    const { model, filter } = this;
    this.rows = filteredEvents(model, filter);
    this.shownArrows = filteredArrows(model, filter);
    this.list.setRows(this.rows);
    showFilters(filter, this.rows.length, model.count);
    this.applySearch();
  }

  applySearch() {
    this.matches = searchEvents(this.model, this.rows, this.query);
    this.panelsChanged = true;
    this.changed();
  }

  search(words) {
    this.query = words;
    this.applySearch();
  }

  nextMatch(backwards) {
    const { matches, index } = this;
    if (matches.length === 0) return say("No line matches.");
    const next = upperBound(matches, index);
    const before = upperBound(matches, index - 1) - 1;
    if (backwards) this.select(matches[before >= 0 ? before : matches.length - 1]);
    else this.select(matches[next < matches.length ? next : 0]);
  }

  toggleBeats() {
    this.filter.beats = !this.filter.beats;
    this.applyFilter();
  }

  toggleCone() {
    this.coneWanted = !this.coneWanted;
    if (this.coneWanted && this.selected < 0) say("Select an event to see its causes and effects.");
    this.cursorChanged();
  }

  // Drawing: at most once per frame, whatever has changed.

  changed() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    this.diagram.draw(this);
    this.overview.draw(this, this.diagram.theme);
    if (this.panelsChanged) this.drawPanels();
    this.panelsChanged = false;
    byId("readout").textContent = `cursor ${seconds(this.cursor)} s · ` +
      `window ${lengthOf(this.to - this.from)}`;
    this.keepAddress();
  }

  drawPanels() {
    const { model, index } = this;
    this.list.setCursor(this);
    showDetail(model, this.selected);
    showStates(model, index, byId("states-box").clientWidth);
    byId("states-title").textContent = `Servers at ${seconds(this.cursor)} s`;
    byId("cone").setAttribute("aria-pressed", String(this.coneWanted));
    const place = upperBound(this.matches, index - 1) + 1;
    const onMatch = this.matches[place - 1] === index;
    byId("matches").textContent = this.query === "" ? ""
      : `${onMatch ? `${grouped(place)} of ` : ""}${grouped(this.matches.length)} found`;
  }

  resize() {
    this.diagram.resize(byId("diagram-box").clientWidth);
    this.overview.resize(byId("diagram-box").clientWidth);
    this.panelsChanged = true;
    this.changed();
  }

  setTheme(name) {
    document.documentElement.dataset.theme = name;
    this.diagram.setTheme();
    fillLegend(this.diagram.theme);
    this.changed();
  }

  // The address: a link to it opens the page at the same place.

  keepAddress() {
    clearTimeout(this.addressTimer);
    // Browsers refuse an address that changes too often.
    this.addressTimer = setTimeout(() => {
      // If the reader has entered another address, the event that restores it is still to come.
      if (location.hash !== this.address) return;
      history.replaceState(null, "", `#${addressOf(this)}`);
      this.address = location.hash;
    }, 250);
  }

  restore(address) {
    this.address = address;
    const fields = new URLSearchParams(address.replace(/^#/, ""));
    const number = (name) => (fields.has(name) ? Number(fields.get(name)) : NaN);
    const [at, width, selected] = [number("t"), number("w"), number("sel")];
    readFilter(fields, this.filter, this.model.lanes.length);
    this.query = fields.get("q") ?? "";
    byId("search").value = this.query;
    this.coneWanted = fields.get("cone") === "1";
    this.applyFilter();
    if (Number.isFinite(at)) this.center(at, width > 0 ? width : this.to - this.from);
    if (Number.isInteger(selected) && selected >= 0 && selected < this.model.count) {
      this.selected = selected;
      this.cursor = this.model.at[selected];
      this.lane = this.model.lane[selected];
      if (!Number.isFinite(at)) this.center(this.cursor, WINDOW_OF_FAILURE);
    } else {
      this.selected = -1;
      const cursor = number("c");
      this.cursor = Number.isFinite(cursor) ? cursor : Number.isFinite(at) ? at : this.cursor;
    }
    this.cursorChanged();
  }
}

/** Where the run first breaks a rule: the place of the failure, or else the first broken rule. */
function firstViolation({ failure, kind, at, count }) {
  if (failure && Number.isInteger(failure.event) && failure.event >= 0 && failure.event < count) {
    return { event: failure.event, at: at[failure.event] };
  }
  if (failure && isNumber(failure.at)) return { event: -1, at: failure.at };
  const event = kind.indexOf(KIND.broken);
  return event < 0 ? null : { event, at: at[event] };
}

function addressOf({ from, to, cursor, selected, filter, coneWanted, query }) {
  const fields = new URLSearchParams({ t: Math.round((from + to) / 2), w: Math.round(to - from) });
  if (selected >= 0) fields.set("sel", selected);
  else fields.set("c", Math.round(cursor));
  if (filter.topics.size > 0) fields.set("topic", [...filter.topics].join(","));
  if (filter.lanes.size > 0) fields.set("lane", [...filter.lanes].join(","));
  for (const method of filter.methods) fields.append("method", method.toWellFormed?.() ?? method);
  if (filter.term) fields.set("term", filter.term);
  if (!filter.beats) fields.set("beats", "0");
  if (coneWanted) fields.set("cone", "1");
  if (query) fields.set("q", query.toWellFormed?.() ?? query);
  return fields.toString();
}

function readFilter(fields, filter, laneCount) {
  const parts = (name) => (fields.get(name) ?? "").split(",").filter((part) => part !== "");
  const refill = (chosen, values) => {
    chosen.clear();
    for (const value of values) chosen.add(value);
  };
  refill(filter.topics, parts("topic").filter((topic) => TOPICS.includes(topic)));
  const isLane = (lane) => Number.isInteger(lane) && lane >= 0 && lane < laneCount;
  refill(filter.lanes, parts("lane").map(Number).filter(isLane));
  refill(filter.methods, fields.getAll("method"));
  filter.term = fields.get("term") ?? "";
  filter.beats = fields.get("beats") !== "0";
}

// Everything around the diagram: header, filters, list of events, states of servers, help.

const byId = (id) => document.getElementById(id);

/** Makes an element. Strings become text nodes, never markup. */
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

// The header.

const TEXT_MAX = 20000;
const manyLines = (text) =>
  visible(text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text);

function fillHeader(model) {
  const { run } = model;
  const word = (value) => shortened(String(value ?? "?"), 200);
  document.title = `${word(run.test)} · raftlab`;
  byId("test").textContent = word(run.test);
  byId("story").textContent = manyLines(wordsOf(run.title));
  // A history from a file belongs to no run that could be repeated.
  const isRun = wordsOf(run.replay) !== "";
  const named = (name) => (isRun ? `${name} ${word(run[name])}` : null);
  const facts = [
    named("part"), named("design"), named("schedule"), named("seed"), run.strict ? "strict" : null,
    isNumber(run.elapsed) ? `${seconds(run.elapsed, 3)} s` : null,
    `${grouped(model.count)} events`, run.hash ? `hash ${word(run.hash)}` : null,
  ];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  if (wordsOf(run.verdict) !== "") byId("verdict").textContent = word(run.verdict);
  byId("replay").textContent = manyLines(wordsOf(run.replay));
  byId("replay-line").hidden = wordsOf(run.replay) === "";
  fillFailure(model.failure);
  fillNotice(model);
}

function fillFailure(failure) {
  byId("failure").hidden = failure === null;
  byId("verdict").hidden = failure !== null;
  if (failure === null) return;
  byId("rule").textContent = shortened(wordsOf(failure.rule) || "Failure", 200);
  byId("failure-message").textContent = manyLines(wordsOf(failure.message));
  byId("where").textContent = manyLines(wordsOf(failure.where));
  byId("where").hidden = wordsOf(failure.where) === "";
  byId("hint").textContent = manyLines(wordsOf(failure.hint));
  byId("hint").hidden = wordsOf(failure.hint) === "";
}

function fillNotice({ partial, total, count, span, lanes }) {
  const notices = [];
  if (partial) {
    notices.push(`This page shows ${grouped(count)} of the run's ${grouped(total)} events, from ` +
      `${seconds(span.from)} s to ${seconds(span.to)} s. The command below repeats the whole run.`);
  }
  if (total === 0) notices.push("The run has no events.");
  if (lanes.length > LANES_MAX) {
    const all = lanes.length;
    notices.push(`The diagram shows the first ${LANES_MAX} of ${all} servers and clients.`);
  }
  byId("notice").textContent = notices.join(" ");
  byId("notice").hidden = notices.length === 0;
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u00a0");

// Filters.

/** Makes the buttons of all filters; `changed` is called after each choice. */
function fillFilters(model, filter, changed) {
  const used = new Set(model.topic);
  const topics = TOPICS.filter((_, number) => used.has(number));
  const lanes = model.lanes.slice(0, LANES_MAX).map(({ name }, lane) => [name, lane]);
  addChips("topics", topics.map((topic) => [topic, topic]), filter.topics, changed);
  addChips("lanes", lanes, filter.lanes, changed);
  const methods = model.methods.slice(0, 50).map((name) => [name, name]);
  addChips("methods", methods, filter.methods, changed);
  byId("term").addEventListener("input", () => {
    filter.term = byId("term").value;
    changed();
  });
  byId("clear-filters").addEventListener("click", () => {
    Object.assign(filter, { term: "", beats: true });
    for (const chosen of [filter.topics, filter.lanes, filter.methods]) chosen.clear();
    changed();
  });
}

function addChips(place, items, chosen, changed) {
  byId(place).replaceChildren(...items.map(([name, value]) => {
    const chip = make("button", "chip", shortened(name, 24));
    chip.type = "button";
    chip.showChoice = () => chip.setAttribute("aria-pressed", String(chosen.has(value)));
    chip.addEventListener("click", () => {
      if (!chosen.delete(value)) chosen.add(value);
      changed();
    });
    return chip;
  }));
}

function showFilters(filter, shown, total) {
  for (const chip of document.querySelectorAll(".chip")) chip.showChoice?.();
  const term = byId("term");
  if (term.value !== filter.term) term.value = filter.term;
  const wrong = filter.term.trim() !== "" && termRange(filter.term) === null;
  term.setAttribute("aria-invalid", String(wrong));
  byId("beats").setAttribute("aria-pressed", String(filter.beats));
  const all = shown === total;
  byId("filter-count").textContent = all ? "" : `${grouped(shown)} of ${grouped(total)} events`;
  byId("clear-filters").disabled = all && filter.beats;
}

// The list of events.

const ROW = 20;
// Browsers limit the height of an element; beyond this many rows, the list would not scroll right.
const ROWS_MAX = 700000;

/** A list of any number of events, of which only the visible rows are in the document. */
class EventList {
  constructor(element, model, choose) {
    this.element = element;
    this.model = model;
    this.rows = this.matches = new Int32Array(0);
    this.spacer = make("div", "spacer");
    element.replaceChildren(this.spacer);
    element.addEventListener("scroll", () => this.show());
    element.addEventListener("click", ({ target }) => {
      const row = target.closest?.(".row");
      if (row) choose(Number(row.dataset.event));
    });
  }

  setRows(rows) {
    this.rows = rows.subarray(0, ROWS_MAX);
    this.spacer.style.height = `${this.rows.length * ROW}px`;
    this.drawn = "";
  }

  /** Marks the row at the cursor, or the last row before it, and scrolls there if it is hidden. */
  setCursor({ index, selected, matches, cone }) {
    this.current = upperBound(this.rows, index) - 1;
    this.exact = selected >= 0 && this.rows[this.current] === index;
    this.matches = matches;
    this.cone = cone;
    this.drawn = "";
    const { scrollTop, clientHeight } = this.element;
    const y = this.current * ROW;
    if (y < scrollTop || y + ROW > scrollTop + clientHeight) {
      this.element.scrollTop = Math.max(0, y - clientHeight / 2);
    }
    this.show();
  }

  show() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - 5);
    const last = Math.min(this.rows.length, first + Math.ceil(clientHeight / ROW) + 10);
    const drawn = `${first} ${last} ${this.current}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const rows = [];
    for (let n = first; n < last; n++) rows.push(this.makeRow(n));
    this.spacer.replaceChildren(...rows);
  }

  makeRow(n) {
    const { model } = this;
    const i = this.rows[n];
    const row = make("div", "row",
      make("span", "time", seconds(model.at[i])),
      make("span", "name", shortened(laneName(model, model.lane[i]), 12)),
      make("span", "topic", TOPICS[model.topic[i]]),
      make("bdi", "text", shortened(wordsOf(model.events[i].text), 400)));
    row.style.top = `${n * ROW}px`;
    row.dataset.event = String(i);
    row.dataset.topic = TOPICS[model.topic[i]];
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(n === this.current));
    if (n === this.current) row.classList.add(this.exact ? "selected" : "current");
    if (this.matches[upperBound(this.matches, i) - 1] === i) row.classList.add("match");
    if (this.cone && !inCone(model, this.cone, i)) row.classList.add("outside");
    if (model.kind[i] === KIND.broken || i === model.failure?.event) row.classList.add("broken");
    return row;
  }
}

// The chosen event.

function showDetail(model, index) {
  const box = byId("detail");
  if (index < 0) {
    const words = "No event is selected: the states are those at the cursor.";
    box.replaceChildren(make("p", "quiet", words));
    return;
  }
  const event = model.events[index];
  const place = shortened(laneName(model, model.lane[index]), 60) || "the run";
  const kind = shortened(String(event.kind), 40);
  const head = [`${seconds(event.at, 9)} s`, place, TOPICS[model.topic[index]], kind,
    `event ${grouped(index)}`].join(" · ");
  const text = make("bdi", "", manyLines(wordsOf(event.text)));
  box.replaceChildren(make("p", "quiet", head), make("p", "line", text));
  if (model.call[index] >= 0) box.append(callLine(model, model.calls[model.call[index]]));
}

/** One sentence for the whole life of a call. */
function callLine(model, call) {
  const at = (i) => `${seconds(model.at[i])} s`;
  const parts = [];
  if (call.sent >= 0) parts.push(`sent ${at(call.sent)}`);
  for (const i of call.fates) {
    const { leg, fate, rule } = model.events[i];
    parts.push(`${leg ?? "message"} ${fate ?? "changed"}${rule ? ` by ${rule}` : ""}`);
  }
  for (const i of call.delivered) parts.push(`delivered ${at(i)}`);
  for (const i of call.answered) parts.push(`answered ${at(i)}`);
  if (call.returned >= 0) {
    const { ok } = model.events[call.returned];
    parts.push(`${ok === false ? "ended without a reply" : "returned"} ${at(call.returned)}`);
  }
  return make("p", "quiet", shortened(`${call.method} #${call.number}: ${parts.join(", ")}`, 1000));
}

// The states of the servers.

const CELLS_MAX = 44;
const HEAD_CELLS = 4;
const WIDTH_OF_FIELDS = 420;
const WIDTH_OF_CELL = 24;

/** A table: a row per server, and its log in columns by index, so that logs can be compared. */
function showStates(model, index, room) {
  const states = model.servers.slice(0, LANES_MAX).map((lane) => stateAt(model, lane, index));
  const fit = Math.floor((room - WIDTH_OF_FIELDS) / WIDTH_OF_CELL);
  const columns = logColumns(states, Math.max(8, Math.min(CELLS_MAX, fit)));
  const head = make("tr", "", ...["server", "role", "term", "vote", "commit", "applied", "durable"]
    .map((name) => make("th", "", name)));
  for (const column of columns) {
    head.append(make("th", "index", column.hidden ? "⋯" : String(column.index)));
  }
  const rows = states.map((state, n) => stateRow(model, model.servers[n], state, columns));
  byId("states").replaceChildren(make("thead", "", head), make("tbody", "", ...rows));
}

/** The indices to show: all if they fit, else the first few and the last ones. */
function logColumns(states, most) {
  const living = states.filter((state) => state.last > 0 || state.base[0] > 0);
  if (living.length === 0) return [];
  const first = Math.max(1, Math.min(...living.map((state) => state.base[0])));
  const last = Math.max(...living.map((state) => state.last));
  const range = (from, to) =>
    Array.from({ length: to - from + 1 }, (_, n) => ({ index: from + n }));
  if (!Number.isFinite(last - first)) return [];
  if (last - first + 1 <= most) return range(first, last);
  const tail = last - (most - HEAD_CELLS - 1) + 1;
  const gap = { hidden: true, from: first + HEAD_CELLS, to: tail - 1 };
  return [...range(first, first + HEAD_CELLS - 1), gap, ...range(tail, last)];
}

function stateRow(model, lane, state, columns) {
  const role = make("span", "role", roleWords(model, state));
  if (state.up && state.role === "leader") {
    role.style.background = termColour(state.term);
    role.style.color = textOnTerm(state.term);
  }
  const vote = isNumber(state.vote) ? shortened(laneName(model, state.vote) || "?", 12) : "–";
  const cells = [shortened(model.lanes[lane].name, 12), role, String(state.term), vote,
    String(state.commit), String(state.applied), String(state.durable)];
  const row = make("tr", state.up ? "" : "down", ...cells.map((cell) => make("td", "", cell)));
  row.append(...columns.map((column) => logCell(state, column)));
  return row;
}

function roleWords(model, state) {
  if (model.partial && state === FRESH) return "unknown";
  return state.up ? shortened(String(state.role), 20) : "down";
}

function logCell(state, column) {
  const { index, hidden, from, to } = column;
  if (hidden) {
    const held = Math.min(to, state.last) - Math.max(from - 1, state.base[0]);
    return make("td", "entry gap", held > 0 ? `+${held}` : "");
  }
  const covered = index <= state.base[0];
  const term = index === state.base[0] ? state.base[1] : entryTerm(state.log, index);
  const cell = make("td", "entry", String(term ?? ""));
  if (covered) cell.classList.add("covered");
  else if (term !== undefined) {
    cell.style.backgroundColor = termColour(term);
    cell.style.color = textOnTerm(term);
    if (index > state.commit) cell.classList.add("uncommitted");
    if (index > state.durable) cell.classList.add("volatile");
  }
  if (index === state.commit) cell.classList.add("commit-end");
  cell.title = `index ${index}${covered ? ", covered by the snapshot" : ""}`;
  return cell;
}

// Legend and help.

// Words, and what they explain: the bits of an arrow, a kind with a mark, or a way to draw it.
const LEGEND = [
  ["request", 0], ["reply", REPLY], ["heartbeat", BEAT], ["lost", LOST], ["delayed or held", LATE],
  ["delivered again", REPEATED], ["on its way at the end, or not awaited", OPEN],
  ["term and vote written", KIND.ballot, "glyph"], ["entries written", KIND.entries, "glyph"],
  ["snapshot written", KIND.snapshot, "glyph"], ["disk synced", KIND.synced, "glyph"],
  ["applied", KIND.applied, "glyph"], ["snapshot installed", KIND.installed, "glyph"],
  ["start", KIND.started, "glyph"], ["crash", KIND.crashed, "glyph"],
  ["rule broken", KIND.broken, "glyph"], ["other line", KIND.note, "glyph"],
  ["operation took effect", (context, theme) => drawPoint(context, 23, 2, 16, theme), "shape"],
  ["operations that cannot all be right", (context, { trouble }) => {
    context.strokeStyle = trouble;
    context.lineWidth = 2;
    context.strokeRect(9, 4, 28, 10);
  }, "shape"],
  ["candidate", (context) => fillSample(context, stripes(context, termColour(1), 8)), "shape"],
  ["down, or no answer", (context, { faint }) => fillSample(context, stripes(context, faint, 6)),
    "shape"],
  ["links cut", (context, { trouble }) => fillSample(context, trouble, 0.3), "shape"],
  ["task stalled", (context, { late }) => fillSample(context, late, 0.3), "shape"],
];

function fillSample(context, style, alpha = 1) {
  context.fillStyle = style;
  context.globalAlpha = alpha;
  context.fillRect(8, 3, 30, 12);
}
const CHART_LEGEND = [
  ["last entry", "ink"], ["durable", "durable"], ["commit", "commit"], ["applied", "applied"],
];

// Marks that belong on the band are drawn above their place, so the sample's place is lower.
const LEGEND_HEIGHT = { [KIND.broken]: 34, [KIND.crashed]: 27, [KIND.started]: 27 };

function fillLegend(theme) {
  const items = LEGEND.map(([words, what, type]) => {
    const sample = make("canvas");
    fitCanvas(sample, 46, 18);
    const context = sample.getContext("2d");
    context.scale(sample.width / 46, sample.height / 18);
    if (type === "shape") what(context, theme);
    else if (type === "glyph") {
      GLYPHS[what](context, 23, LEGEND_HEIGHT[what] ?? 9, theme);
    } else {
      const end = what & (LOST | OPEN) ? 30 : 42;
      strokeArrows(context, what, [4, 9, end, 9], theme, true, false);
    }
    return make("span", "legend-item", sample, words);
  });
  const lines = CHART_LEGEND.map(([words, colour]) => {
    const sample = make("span", "legend-line");
    sample.style.background = theme[colour];
    return make("span", "legend-item", sample, words);
  });
  byId("legend").replaceChildren(...items, ...lines);
}

function fillHelp(commands) {
  const rows = commands.map(({ keys, says }) => make("tr", "",
    make("td", "", ...keys.flatMap((key) => [make("kbd", "", KEY_NAMES[key] ?? key), " "])),
    make("td", "", says)));
  byId("keys").replaceChildren(...rows);
}

const KEY_NAMES = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

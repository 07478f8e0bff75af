// The states of servers: at any event, and as columns over time.

const FRESH = Object.freeze({
  up: false, role: "follower", term: 0, vote: null, base: [0, 0], log: [], last: 0,
  durable: 0, commit: 0, applied: 0,
});
const PLAIN_FIELDS = ["up", "role", "term", "vote", "durable", "commit", "applied"];
const COLUMNS = ["term", "commit", "applied", "durable", "last"];

// A whole state has a list of runs, which may be long. So only some states are kept, and the others
// are replayed from the kept state before them.
const CHECKPOINT = 64;

function collectStates(model, lane) {
  const marks = [];
  for (let i = 0; i < model.count; i++) {
    if (model.lane[i] === lane && changesState(model.events[i])) marks.push(i);
  }
  const states = { marks: Int32Array.from(marks), checkpoints: [] };
  states.at = Float64Array.from(marks, (i) => model.at[i]);
  states.up = new Uint8Array(marks.length);
  states.role = new Uint8Array(marks.length);
  for (const column of COLUMNS) states[column] = new Float64Array(marks.length);
  const state = { ...FRESH };
  marks.forEach((event, n) => {
    if (n % CHECKPOINT === 0) states.checkpoints.push({ ...state });
    advance(state, model.events[event]);
    states.up[n] = state.up ? 1 : 0;
    states.role[n] = Math.max(0, ROLES.indexOf(state.role));
    for (const column of COLUMNS) states[column][n] = state[column];
  });
  states.bands = collectBands(states, model);
  return states;
}

const changesState = (event) =>
  isObject(event.state) || event.kind === "started" || event.kind === "crashed";

/** Changes the state as the event says. The log is replaced, not changed: checkpoints share it. */
function advance(state, event) {
  const change = event.state ?? {};
  if (event.kind === "started") state.up = true;
  if (event.kind === "crashed") state.up = false;
  for (const field of PLAIN_FIELDS) {
    const value = change[field];
    if (value !== undefined && (value !== null || field === "vote")) state[field] = value;
  }
  if (isPair(change.base)) state.base = change.base;
  if (isObject(change.log)) state.log = replaceTail(state.log, change.log);
  if (change.base || change.log) {
    state.log = dropCovered(state.log, state.base[0]);
    const end = state.log.at(-1);
    state.last = end ? end.first + end.count - 1 : state.base[0];
  }
}

const isPair = (value) => Array.isArray(value) && value.length === 2 && value.every(isNumber);

function replaceTail(log, { from, runs }) {
  const kept = [];
  for (const run of log) {
    const count = Math.min(run.count, from - run.first);
    if (count > 0) kept.push({ ...run, count });
  }
  let first = from;
  for (const [count, term] of Array.isArray(runs) ? runs.filter(isPair) : []) {
    const last = kept.at(-1);
    // Entries are added one by one. Equal terms are joined, or the list would grow with the log.
    if (last?.term === term && last.first + last.count === first) last.count += count;
    else kept.push({ first, count, term });
    first += count;
  }
  return kept;
}

function dropCovered(log, base) {
  if (log.length === 0 || log[0].first > base) return log;
  return log.flatMap((run) => {
    const end = run.first + run.count;
    const first = Math.max(run.first, base + 1);
    return end > first ? [{ first, count: end - first, term: run.term }] : [];
  });
}

/** The state of a server after the event `index`, and everything before it. */
function stateAt(model, lane, index) {
  const { marks, checkpoints } = model.states[lane];
  const done = upperBound(marks, index);
  if (done === 0) return FRESH;
  const checkpoint = Math.min(Math.floor(done / CHECKPOINT), checkpoints.length - 1);
  const state = { ...checkpoints[checkpoint] };
  for (let n = checkpoint * CHECKPOINT; n < done; n++) advance(state, model.events[marks[n]]);
  return state;
}

/** The term of the entry at an index: a number, or undefined if the log does not have it. */
function entryTerm(log, index) {
  return log.find((run) => index >= run.first && index < run.first + run.count)?.term;
}

/** Spans of time in which a server keeps role, term, and up or down. */
function collectBands({ at, up, role, term }, { span, partial }) {
  // If the page begins later than the run, nothing is known of a server before its first state.
  const bands = partial ? [] : [{ from: span.from, up: 0, role: FOLLOWER, term: 0 }];
  for (let n = 0; n < at.length; n++) {
    const last = bands.at(-1);
    if (last?.up === up[n] && last.role === role[n] && last.term === term[n]) continue;
    bands.push({ from: at[n], up: up[n], role: role[n], term: term[n] });
  }
  bands.forEach((band, i) => {
    band.to = bands[i + 1]?.from ?? span.to;
  });
  return { list: bands, from: Float64Array.from(bands, (band) => band.from) };
}

/** Gives each event a term: its own, that of its call, or that of its server. */
function nameTerms(model) {
  const current = model.lanes.map((lane) => (lane.server ? 0 : -1));
  for (let i = 0; i < model.count; i++) {
    const event = model.events[i];
    const lane = model.lane[i];
    if (lane >= 0 && isNumber(event.state?.term)) current[lane] = event.state.term;
    const ofCall = model.call[i] < 0 ? null : model.calls[model.call[i]].term;
    model.term[i] = isNumber(event.term) ? event.term : ofCall ?? (lane < 0 ? -1 : current[lane]);
  }
}

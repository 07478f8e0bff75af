// Messages: calls, their arrows, and the causes and effects that they carry.

// Bits of an arrow. An open arrow has no known end: its message was still in flight at the end of
// the page.
const REPLY = 1;
const LOST = 2;
const LATE = 4;
const REPEATED = 8;
const BEAT = 16;
const OPEN = 32;

const LOST_FATES = new Set(["lost", "nowhere", "gone"]);
const LATE_FATES = new Set(["delayed", "held"]);

/** Gathers the events of every call. */
function collectCalls(model) {
  const byNumber = new Map();
  model.calls = [];
  for (let i = 0; i < model.count; i++) {
    const event = model.events[i];
    if (!isNumber(event.call)) continue;
    let slot = byNumber.get(event.call);
    if (slot === undefined) {
      slot = model.calls.length;
      byNumber.set(event.call, slot);
      model.calls.push(emptyCall(event.call));
    }
    model.call[i] = slot;
    addToCall(model.calls[slot], event, i);
  }
  nameCalls(model);
}

const emptyCall = (number) => ({
  number, method: "", term: null, beat: false,
  sent: -1, delivered: [], answered: [], returned: -1, fates: [],
});

function addToCall(call, event, i) {
  if (event.kind === "sent") {
    call.sent = i;
    call.method = wordsOf(event.method) || "call";
    call.term = isNumber(event.term) ? event.term : null;
    call.beat = event.beat === true;
  } else if (event.kind === "delivered") call.delivered.push(i);
  else if (event.kind === "answered") call.answered.push(i);
  else if (event.kind === "returned") call.returned = i;
  else if (event.kind === "network") call.fates.push(i);
}

/** Gives each event of a call the method, so that filters need not look the call up. */
function nameCalls(model) {
  const numbers = new Map();
  for (const { method } of model.calls) {
    if (method !== "" && !numbers.has(method)) numbers.set(method, numbers.size);
  }
  model.methods = [...numbers.keys()];
  for (let i = 0; i < model.count; i++) {
    if (model.call[i] < 0) continue;
    const call = model.calls[model.call[i]];
    model.method[i] = numbers.get(call.method) ?? -1;
    model.beat[i] = call.beat ? 1 : 0;
  }
}

/** Makes the arrows, sorted by their start, in arrays that drawing can walk quickly. */
function collectArrows(model) {
  const list = model.calls.flatMap((call, slot) => arrowsOf(model, call, slot));
  list.sort((a, b) => model.at[a.from] - model.at[b.from]);
  const usual = usualDelay(model, list);
  const arrows = {
    count: list.length,
    from: Int32Array.from(list, (arrow) => arrow.from),
    to: Int32Array.from(list, (arrow) => arrow.to),
    bits: Uint8Array.from(list, (arrow) => arrow.bits),
    call: Int32Array.from(list, (arrow) => arrow.slot),
    start: Float64Array.from(list, (arrow) => model.at[arrow.from]),
    end: Float64Array.from(list, ({ from, to }) => model.at[to] ?? model.at[from] + usual),
    laneFrom: Int32Array.from(list, (arrow) => model.lane[arrow.from]),
    laneTo: Int32Array.from(list, (arrow) => model.events[arrow.from].peer ?? -1),
  };
  for (const { from, to } of list) if (to >= 0) model.source[to] = from;
  arrows.blockEnd = blockEnds(arrows.end);
  model.arrows = arrows;
}

function arrowsOf(model, call, slot) {
  const beat = call.beat ? BEAT : 0;
  const fates = (leg) =>
    call.fates.length === 0 ? call.fates : call.fates.filter((i) => model.events[i].leg === leg);
  const list = [];
  const add = (from, to, bits) => list.push({ from, to, bits: bits | beat, slot });
  if (call.sent >= 0) addRequests(model, call, fates("request"), add);
  addReplies(model, call, fates("reply"), add);
  return list;
}

function addRequests(model, call, fates, add) {
  const bits = fateBits(model, fates);
  call.delivered.forEach((event, nth) => {
    add(call.sent, event, (bits & LATE) | (nth > 0 ? REPEATED : 0));
  });
  if (call.delivered.length === 0) add(call.sent, -1, bits || OPEN);
}

/** Adds the arrows of a call's replies. A repeated request has two answers: the arrow of the first
 * answer that was not lost ends at the return. */
function addReplies(model, call, fates, add) {
  let open = call.returned >= 0 && model.events[call.returned].ok !== false;
  call.answered.forEach((answer, nth) => {
    const next = call.answered[nth + 1] ?? Infinity;
    const bits = fateBits(model, fates.filter((i) => i >= answer && i < next));
    if (bits & LOST) add(answer, -1, REPLY | bits);
    else if (open && call.returned > answer) {
      add(answer, call.returned, REPLY | bits);
      open = false;
    } else if (nth === 0 || bits) add(answer, -1, REPLY | OPEN | bits);
  });
}

function fateBits(model, fates) {
  let bits = 0;
  for (const i of fates) {
    const { fate } = model.events[i];
    if (LOST_FATES.has(fate)) bits |= LOST;
    if (LATE_FATES.has(fate)) bits |= LATE;
  }
  return bits;
}

/** The median time of the arrows that arrived. It gives the slope of the arrows that did not. */
function usualDelay(model, list) {
  const arrived = list.filter(({ to }) => to >= 0);
  const delays = Float64Array.from(arrived, ({ from, to }) => model.at[to] - model.at[from]).sort();
  return delays.length > 0 ? delays[delays.length >> 1] : 1e6;
}

// A long arrow may cross the window although it starts before it. So each block of arrows keeps the
// latest end of its arrows: a search skips the blocks that end before the window.
const BLOCK = 256;

function blockEnds(ends) {
  const blocks = new Float64Array(Math.ceil(ends.length / BLOCK)).fill(-Infinity);
  for (let i = 0; i < ends.length; i++) {
    const block = Math.floor(i / BLOCK);
    if (ends[i] > blocks[block]) blocks[block] = ends[i];
  }
  return blocks;
}

/** Calls `visit` for every arrow that crosses the window. */
function eachArrow(arrows, from, to, visit) {
  const limit = upperBound(arrows.start, to);
  for (let block = 0; block * BLOCK < limit; block++) {
    if (arrows.blockEnd[block] < from) continue;
    const end = Math.min(limit, (block + 1) * BLOCK);
    for (let i = block * BLOCK; i < end; i++) if (arrows.end[i] >= from) visit(i);
  }
}

// Causes and effects.

/**
 * The events that happened before the chosen one, and those that it happened before.
 *
 * `before[lane]` is the chosen event's vector clock, with indices of events as counters; `after`
 * is the first event of each lane whose clock includes the chosen event.
 */
function coneOf(model, chosen) {
  const { lane, source, count } = model;
  if (chosen < 0 || lane[chosen] < 0) return null;
  const before = new Int32Array(model.lanes.length).fill(-1);
  const after = new Int32Array(model.lanes.length).fill(count);
  before[lane[chosen]] = after[lane[chosen]] = chosen;
  for (let i = chosen; i >= 0; i--) {
    if (lane[i] < 0 || source[i] < 0 || i > before[lane[i]]) continue;
    const sender = lane[source[i]];
    before[sender] = Math.max(before[sender], source[i]);
  }
  for (let i = chosen; i < count; i++) {
    if (lane[i] < 0 || source[i] < 0) continue;
    if (source[i] >= after[lane[source[i]]]) after[lane[i]] = Math.min(after[lane[i]], i);
  }
  return { before, after };
}

function inCone({ lane }, cone, i) {
  return lane[i] >= 0 && (i <= cone.before[lane[i]] || i >= cone.after[lane[i]]);
}

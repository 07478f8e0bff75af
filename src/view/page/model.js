// The run as the page keeps it: unpacked, checked, and indexed for quick answers.

const KINDS = [
  "note", "sent", "delivered", "answered", "returned", "network", "ballot", "entries", "snapshot",
  "synced", "applied", "installed", "started", "crashed", "link", "step", "invoke", "return",
  "stall", "broken",
];
const KIND = Object.fromEntries(KINDS.map((name, number) => [name, number]));
const TOPICS = [
  "TIMR", "VOTE", "LEAD", "TERM", "LOG1", "LOG2", "CMIT", "PERS", "SNAP", "DROP", "CLNT", "TEST",
  "INFO", "WARN", "ERRO", "TRCE", "other",
];
const ROLES = ["follower", "candidate", "leader"];
const FOLLOWER = 0;
const CANDIDATE = 1;
const LEADER = 2;

// More rows than this do not fit into one canvas.
const LANES_MAX = 150;

/** The data cannot be shown. The message is the end of "This page cannot show its run: …". */
class Damaged extends Error {}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const wordsOf = (value) => (typeof value === "string" ? value : "");

/** Reads the object that the page carries as base64 of gzip of JSON. */
async function unpack(base64) {
  if (typeof DecompressionStream === "undefined") {
    throw new Damaged("this browser cannot unpack gzip. Any browser released since 2023 can.");
  }
  const json = await inflate(decodeBase64(base64.trim()));
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Damaged(`the data is not JSON (${error.message}).`);
  }
}

function decodeBase64(base64) {
  if (base64 === "") throw new Damaged("the page contains no data.");
  let binary;
  try {
    binary = atob(base64);
  } catch {
    throw new Damaged("the data is not base64. The file may have been changed or cut off.");
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).text();
  } catch {
    throw new Damaged("the data cannot be unpacked. The file may have been changed or cut off.");
  }
}

/** Refuses data that the rest of the page could not handle, and says why. */
function check(data) {
  const need = (good, words) => {
    if (!good) throw new Damaged(words);
  };
  need(isObject(data), "the data is not an object.");
  const format = visible(String(data.format));
  need(data.format === 1, `the data has format ${format}; this page reads 1.`);
  need(isObject(data.run), "the description of the run is missing.");
  need(Array.isArray(data.lanes), "the list of servers and clients is missing.");
  need(Array.isArray(data.events), "the list of events is missing.");
  need(data.lanes.every(isObject), "a server or client has no description.");
  const isLane = (lane) => Number.isInteger(lane) && lane >= 0 && lane < data.lanes.length;
  data.events.forEach((event, i) => {
    need(isObject(event) && isNumber(event.at), `event ${i} has no time.`);
    const before = data.events[i - 1];
    need(!before || event.at >= before.at, `event ${i} is earlier than the one before.`);
    need(event.lane == null || isLane(event.lane), `event ${i} is on a lane that does not exist.`);
    need(event.peer == null || isLane(event.peer), `event ${i} names a peer that does not exist.`);
  });
}

/** Builds everything that the page looks up while it draws. */
function buildModel(data) {
  check(data);
  const { events } = data;
  const count = events.length;
  const lanes = data.lanes.map((lane, i) => ({
    name: wordsOf(lane.name) || `lane ${i}`,
    server: lane.kind !== "client",
    played: lane.played === true,
  }));
  const model = {
    run: data.run, lanes, events, count,
    failure: isObject(data.failure) ? data.failure : null,
    total: isNumber(data.total) ? data.total : count,
    partial: data.total > count,
    at: Float64Array.from(events, (event) => event.at),
    lane: Int32Array.from(events, (event) => event.lane ?? -1),
    kind: Uint8Array.from(events, (event) => KIND[event.kind] ?? KIND.note),
    topic: Uint8Array.from(events, (event) => topicNumber(event.topic)),
    call: new Int32Array(count).fill(-1),
    method: new Int32Array(count).fill(-1),
    source: new Int32Array(count).fill(-1),
    term: new Int32Array(count).fill(-1),
    beat: new Uint8Array(count),
    methods: [],
  };
  model.span = spanOf(model);
  model.servers = lanes.flatMap((lane, i) => (lane.server ? [i] : []));
  collectCalls(model);
  collectArrows(model);
  model.states = lanes.map((lane, i) => (lane.server ? collectStates(model, i) : null));
  nameTerms(model);
  model.cuts = collectCuts(model);
  model.stalls = collectStalls(model);
  model.steps = collectSteps(model);
  model.operations = collectOperations(model);
  model.faults = eventsWhere(model, isFault);
  model.elections = eventsWhere(model, startsOrWinsElection);
  model.marks = lanes.map((_, lane) => eventsWhere(model, (i) => model.lane[i] === lane));
  return model;
}

function topicNumber(topic) {
  const found = TOPICS.indexOf(topic);
  return found < 0 ? TOPICS.length - 1 : found;
}

/** From the first to the last moment that the page shows; never empty. */
function spanOf({ at, count, partial, run }) {
  const from = partial && count > 0 ? at[0] : 0;
  const last = count > 0 ? at[count - 1] : 0;
  const to = !partial && isNumber(run.elapsed) ? Math.max(last, run.elapsed) : last;
  return { from, to: Math.max(to, from + 1e6) };
}

function eventsWhere(model, test) {
  const found = [];
  for (let i = 0; i < model.count; i++) if (test(i, model)) found.push(i);
  return Int32Array.from(found);
}

function isFault(i, { kind, events }) {
  return kind[i] === KIND.crashed || kind[i] === KIND.stall ||
    (kind[i] === KIND.link && events[i].up === false);
}

function startsOrWinsElection(i, { events }) {
  const role = events[i].state?.role;
  return role === "candidate" || role === "leader";
}

/** The number of elements that are at most `value`, in a sorted array. */
function upperBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Filters and search.

/** Nothing chosen means that everything passes. */
const emptyFilter = () => ({
  topics: new Set(), lanes: new Set(), methods: new Set(), term: "", beats: true,
});

/** Reads "3", "2-4" or "2-" as a range of terms. Returns null, which means all terms, for any other
 * text. */
function termRange(text) {
  const found = /^\s*(\d+)\s*(?:(-)\s*(\d*)\s*)?$/.exec(text);
  if (!found) return null;
  const low = Number(found[1]);
  return [low, found[2] ? (found[3] ? Number(found[3]) : Infinity) : low];
}

function passes(model, filter, range, i, lanes = filter.lanes) {
  if (filter.topics.size > 0 && !filter.topics.has(TOPICS[model.topic[i]])) return false;
  if (lanes.size > 0 && !lanes.has(model.lane[i])) return false;
  if (filter.methods.size > 0 && !filter.methods.has(model.methods[model.method[i]])) return false;
  if (!filter.beats && model.beat[i]) return false;
  return !range || (model.term[i] >= range[0] && model.term[i] <= range[1]);
}

function filteredEvents(model, filter) {
  const range = termRange(filter.term);
  return eventsWhere(model, (i) => passes(model, filter, range, i));
}

/** Per arrow, whether it is shown: at least one end must be on a chosen lane. */
function filteredArrows(model, filter) {
  const { from, laneFrom, laneTo, count } = model.arrows;
  const range = termRange(filter.term);
  const shown = new Uint8Array(count);
  const any = new Set();
  for (let i = 0; i < count; i++) {
    const { lanes } = filter;
    const near = lanes.size === 0 || lanes.has(laneFrom[i]) || lanes.has(laneTo[i]);
    shown[i] = near && passes(model, filter, range, from[i], any) ? 1 : 0;
  }
  return shown;
}

/** The events among `rows` whose line contains the words, in any case. */
function searchEvents(model, rows, words) {
  const wanted = words.toLowerCase();
  if (wanted === "") return new Int32Array(0);
  return rows.filter((i) => lineOf(model, i).toLowerCase().includes(wanted));
}

const laneName = (model, lane) => model.lanes[lane]?.name ?? "";

const lineOf = (model, i) =>
  `${laneName(model, model.lane[i])} ${TOPICS[model.topic[i]]} ${wordsOf(model.events[i].text)}`;

// Words.

// Characters that would hide, reorder or break the text around them: control characters, marks of
// direction, separators of lines, and halves of surrogate pairs.
const HIDDEN =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

/** The text with every hidden character written as its number. */
function visible(text) {
  return text.replace(HIDDEN, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}

/** The beginning of a text that may be very long, on one line. */
function shortened(text, length) {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return visible(cut).replace(/\s+/g, " ");
}

const seconds = (ns, digits = 6) => (ns / 1e9).toFixed(digits);

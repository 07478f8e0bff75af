// Everything that lasts: faults, steps of the scenario, operations of clients.

/** Per server, spans in which links are cut, each with its words. */
function collectCuts(model) {
  const cut = new Map(model.servers.map((lane) => [lane, new Set()]));
  const open = new Map();
  const done = [];
  for (let i = 0; i < model.count; i++) {
    const { kind, lane, peer, up, at } = model.events[i];
    if (kind !== "link" || !cut.has(lane) || !cut.has(peer)) continue;
    if (up) cut.get(lane).delete(peer);
    else cut.get(lane).add(peer);
    // One step of the scenario can change many links at once. Only the state after the last counts.
    const next = model.events[i + 1];
    if (next?.kind !== "link" || next.at !== at) updateCuts(model, cut, open, done, at);
  }
  updateCuts(model, new Map(), open, done, model.span.to);
  return done;
}

function updateCuts(model, cut, open, done, at) {
  const isolated = new Set([...cut.keys()].filter((lane) => isIsolated(cut, lane)));
  for (const lane of model.servers) {
    const words = cutWords(model, cut.get(lane) ?? new Set(), isolated, lane);
    const before = open.get(lane);
    if (before?.words === words) continue;
    if (before && at > before.from) done.push({ ...before, to: at });
    if (words === "") open.delete(lane);
    else open.set(lane, { lane, from: at, words });
  }
}

function isIsolated(cut, lane) {
  const others = [...cut.keys()].filter((other) => other !== lane);
  return others.length > 1 && cut.get(lane).size === others.length &&
    others.every((other) => cut.get(other).has(lane));
}

function cutWords(model, peers, isolated, lane) {
  if (isolated.has(lane)) return "isolated";
  const names = [...peers].filter((peer) => !isolated.has(peer)).sort((a, b) => a - b);
  if (names.length === 0) return "";
  return `cut → ${names.map((peer) => visible(model.lanes[peer].name)).join(", ")}`;
}

function collectStalls(model) {
  return model.events.flatMap(({ kind, lane, at, for: length }) =>
    kind === "stall" && lane != null && isNumber(length) && length > 0
      ? [{ lane, from: at, to: at + length, words: "stall" }] : []);
}

function collectSteps(model) {
  const steps = model.events.flatMap((event, i) =>
    event.kind === "step"
      ? [{ event: i, from: event.at, to: isNumber(event.end) ? event.end : event.at }] : []);
  return stack(steps, 3);
}

/** The operations of all clients, from their call to their return or to the end of the page. */
function collectOperations(model) {
  const open = new Map();
  const all = model.lanes.map(() => []);
  model.events.forEach((event, i) => {
    if (event.lane == null || (event.kind !== "invoke" && event.kind !== "return")) return;
    const key = `${event.lane} ${event.op}`;
    if (event.kind === "invoke") {
      const operation = {
        event: i, from: event.at, to: model.span.to, open: true, ok: null,
        point: isNumber(event.point) ? event.point : null, conflict: event.conflict === true,
        words: wordsOf(event.words) || wordsOf(event.text),
      };
      open.set(key, operation);
      all[event.lane].push(operation);
    } else if (open.has(key)) {
      const operation = open.get(key);
      Object.assign(operation, { to: event.at, open: false, ok: event.ok !== false });
      if (wordsOf(event.words) !== "") operation.words += ` → ${event.words}`;
      open.delete(key);
    }
  });
  return all.map((list) => stack(list, 4));
}

/** Puts spans that overlap on different levels; the last level takes what is left. */
function stack(list, levels) {
  const ends = [];
  for (const item of list) {
    let level = ends.findIndex((end) => end <= item.from);
    if (level < 0) level = Math.min(ends.length, levels - 1);
    ends[level] = Math.max(ends[level] ?? 0, item.to);
    item.level = level;
  }
  list.levels = Math.max(1, ends.length);
  return list;
}

/** The last span, by index, that starts at or before `time`; spans are sorted by start. */
function spanIndex(list, time) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].from <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

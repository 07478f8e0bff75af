// Runs to test the page with: a small simulated Raft, and data made to do harm.

/** A generator of numbers in [0, 1) that depends on the seed alone. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const MS = 1e6;

/** Servers that elect, replicate, snapshot and crash, on a network that loses and delays. */
class Simulation {
  constructor({ servers, clients, seed, events, lossy }) {
    Object.assign(this, {
      wanted: events,
      lossy,
      random: randomOf(seed),
      now: 0,
      queue: [],
      order: 0,
    });
    this.events = [];
    this.nextCall = 1;
    this.nextOperation = 1;
    this.lanes = [
      ...Array.from({ length: servers }, (_, i) => ({
        name: `S${i}`,
        kind: "server",
        played: false,
      })),
      ...Array.from({ length: clients }, (_, i) => ({ name: `C${i}`, kind: "client" })),
    ];
    this.servers = Array.from({ length: servers }, (_, me) => ({
      me,
      up: false,
      role: "follower",
      term: 0,
      vote: null,
      log: [],
      base: [0, 0],
      durable: 0,
      commit: 0,
      applied: 0,
      timer: 0,
      votes: 0,
      match: [],
    }));
    this.cut = new Set();
    this.clients = clients;
  }

  after(delay, work) {
    const item = { at: Math.round(this.now + delay), order: this.order++, work };
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.queue[middle];
      if (other.at > item.at || (other.at === item.at && other.order > item.order))
        low = middle + 1;
      else high = middle;
    }
    this.queue.splice(low, 0, item);
  }

  tell(lane, kind, topic, text, more = {}) {
    this.events.push({ at: this.now, lane, kind, topic, text, ...more });
  }

  run() {
    this.servers.forEach((server) => this.start(server));
    for (let client = 0; client < this.clients; client++) {
      this.after(400 * MS * this.random(), () => this.invoke(this.servers.length + client));
    }
    this.step("start the servers");
    this.after(900 * MS, () => this.trouble(0));
    while (this.events.length < this.wanted && this.queue.length > 0) {
      const { at, work } = this.queue.pop();
      this.now = at;
      work();
    }
    this.events.length = Math.min(this.events.length, this.wanted);
    return this;
  }

  step(text, length = 0) {
    this.tell(null, "step", "TEST", text, length > 0 ? { end: this.now + length } : {});
  }

  trouble(round) {
    const server = this.servers[Math.floor(this.random() * this.servers.length)];
    const length = (300 + 500 * this.random()) * MS;
    const kind = round % 4;
    if (kind === 0) this.crashFor(server, length);
    if (kind === 1) this.isolateFor([server.me], length);
    if (kind === 2)
      this.isolateFor(
        this.servers.slice(0, this.servers.length >> 1).map((s) => s.me),
        length,
      );
    if (kind === 3)
      this.tell(server.me, "stall", "TRCE", "held back", { for: Math.round(length / 6) });
    this.after(length + 700 * MS, () => this.trouble(round + 1));
  }

  crashFor(server, length) {
    this.step(`crash S${server.me}`, length);
    server.up = false;
    server.timer++;
    server.log.length = Math.min(server.log.length, Math.max(0, server.durable - server.base[0]));
    this.tell(server.me, "crashed", "WARN", "crashed", {
      state: { up: false, role: "follower", ...this.logChange(server, server.durable + 1) },
    });
    Object.assign(server, { role: "follower", commit: server.base[0], applied: server.base[0] });
    this.after(length, () => this.start(server));
  }

  start(server) {
    server.up = true;
    this.tell(server.me, "started", "INFO", "started", {
      state: {
        up: true,
        role: "follower",
        term: server.term,
        vote: server.vote,
        commit: server.commit,
        applied: server.applied,
      },
    });
    this.resetTimer(server);
  }

  isolateFor(group, length) {
    this.step(`cut ${group.map((me) => `S${me}`).join(", ")} off`, length);
    const others = this.servers.map((s) => s.me).filter((me) => !group.includes(me));
    const links = group.flatMap((a) =>
      others.flatMap((b) => [
        [a, b],
        [b, a],
      ]),
    );
    const change = (up) =>
      links.forEach(([lane, peer]) => {
        this.cut[up ? "delete" : "add"](`${lane} ${peer}`);
        this.tell(lane, "link", "TEST", `link to S${peer} ${up ? "mended" : "cut"}`, { peer, up });
      });
    change(false);
    this.after(length, () => change(true));
  }

  logChange(server, from) {
    const runs = [];
    for (const term of server.log.slice(from - server.base[0] - 1)) {
      if (runs.at(-1)?.[1] === term) runs.at(-1)[0]++;
      else runs.push([1, term]);
    }
    return { log: { from, runs } };
  }

  last(server) {
    return server.base[0] + server.log.length;
  }

  termOf(server, index) {
    return index === server.base[0] ? server.base[1] : server.log[index - server.base[0] - 1];
  }

  resetTimer(server) {
    const timer = ++server.timer;
    this.after((150 + 150 * this.random()) * MS, () => {
      if (server.up && server.timer === timer && server.role !== "leader") this.campaign(server);
    });
  }

  adopt(server, term) {
    if (term <= server.term) return;
    Object.assign(server, { term, vote: null, role: "follower" });
    this.tell(server.me, "note", "TERM", `adopts term ${term}`, {
      state: { term, vote: null, role: "follower" },
    });
  }

  save(server, kind, text, state) {
    this.tell(server.me, kind, kind === "snapshot" ? "SNAP" : "PERS", text, { state });
    server.durable = this.last(server);
    this.tell(server.me, "synced", "PERS", "synced", { state: { durable: server.durable } });
  }

  campaign(server) {
    server.term++;
    Object.assign(server, { role: "candidate", vote: server.me, votes: 1 });
    this.tell(server.me, "note", "TIMR", `election timeout, term=${server.term}`, {
      state: { role: "candidate", term: server.term, vote: server.me },
    });
    this.save(server, "ballot", `writes term=${server.term} vote=S${server.me}`, {});
    this.resetTimer(server);
    for (const peer of this.servers) {
      if (peer !== server) this.askVote(server, peer);
    }
  }

  askVote(server, peer) {
    const { term } = server;
    const last = [this.termOf(server, this.last(server)) ?? 0, this.last(server)];
    this.call(
      server,
      peer,
      { method: "request_vote", term, says: `last=${last[0]}/${last[1]}` },
      () => {
        this.adopt(peer, term);
        const own = [this.termOf(peer, this.last(peer)) ?? 0, this.last(peer)];
        const newer = last[0] > own[0] || (last[0] === own[0] && last[1] >= own[1]);
        const granted =
          term === peer.term && (peer.vote === null || peer.vote === server.me) && newer;
        if (granted) {
          peer.vote = server.me;
          this.save(peer, "ballot", `writes term=${term} vote=S${server.me}`, { vote: server.me });
          this.resetTimer(peer);
        }
        return { ok: granted, term: peer.term };
      },
      (reply) => {
        this.adopt(server, reply.term);
        if (!reply.ok || server.term !== term || server.role !== "candidate") return;
        server.votes++;
        if (server.votes * 2 > this.servers.length) this.lead(server);
      },
    );
  }

  lead(server) {
    server.role = "leader";
    server.match = this.servers.map(() => server.base[0]);
    this.tell(server.me, "note", "LEAD", `leads term ${server.term}`, {
      state: { role: "leader" },
    });
    this.beat(server, server.term);
  }

  beat(server, term) {
    if (!server.up || server.role !== "leader" || server.term !== term) return;
    for (const peer of this.servers) if (peer !== server) this.append(server, peer);
    this.after(60 * MS, () => this.beat(server, term));
  }

  append(server, peer) {
    const { term, commit } = server;
    const previous = Math.max(server.match[peer.me], server.base[0]);
    const entries = server.log.slice(previous - server.base[0]);
    const behind = server.match[peer.me] < server.base[0];
    const method = behind ? "install_snapshot" : "append_entries";
    const base = [...server.base];
    const end = behind ? base[0] : previous + entries.length;
    const beat = !behind && entries.length === 0;
    const says = beat
      ? `beat commit=${commit}`
      : `prev=${previous} entries=${entries.length} commit=${commit}`;
    this.call(
      server,
      peer,
      { method, term, beat, says },
      () => {
        this.adopt(peer, term);
        if (term < peer.term) return { ok: false, term: peer.term };
        this.resetTimer(peer);
        if (behind) this.install(peer, base);
        else if (entries.length > 0) this.replace(peer, previous, entries);
        this.commitTo(peer, Math.min(commit, this.last(peer)));
        return { ok: true, term: peer.term };
      },
      (reply) => {
        this.adopt(server, reply.term);
        if (!reply.ok || server.term !== term || server.role !== "leader") return;
        server.match[peer.me] = Math.max(server.match[peer.me], end);
        const sorted = server.match
          .map((m, i) => (i === server.me ? this.last(server) : m))
          .sort((a, b) => b - a);
        this.commitTo(server, sorted[this.servers.length >> 1]);
      },
    );
  }

  replace(peer, previous, entries) {
    if (previous < peer.base[0] || previous > this.last(peer)) return;
    peer.log.splice(previous - peer.base[0], Infinity, ...entries);
    this.save(
      peer,
      "entries",
      `writes entries ${previous + 1}–${previous + entries.length}`,
      this.logChange(peer, previous + 1),
    );
  }

  install(peer, base) {
    if (base[0] <= peer.applied) return;
    Object.assign(peer, { base, log: [], commit: base[0], applied: base[0] });
    this.save(peer, "snapshot", `writes snapshot to ${base[0]}`, {
      base,
      commit: base[0],
      applied: base[0],
      log: { from: base[0] + 1, runs: [] },
    });
    this.tell(peer.me, "installed", "SNAP", `installs snapshot to ${base[0]}`, { index: base[0] });
  }

  commitTo(server, index) {
    if (index <= server.commit) return;
    server.commit = index;
    this.tell(server.me, "note", "CMIT", `commits up to ${index}`, { state: { commit: index } });
    while (server.applied < server.commit) {
      server.applied++;
      this.tell(server.me, "applied", "CMIT", `applies ${server.applied}`, {
        index: server.applied,
        state: { applied: server.applied },
      });
    }
    if (server.applied - server.base[0] >= 40) this.compact(server);
  }

  compact(server) {
    const base = [server.applied, this.termOf(server, server.applied)];
    server.log.splice(0, base[0] - server.base[0]);
    server.base = base;
    this.save(server, "snapshot", `writes snapshot to ${base[0]}`, { base });
  }

  call(from, to, { method, term, beat, says }, handle, finish) {
    const call = this.nextCall++;
    const topic = method === "request_vote" ? "VOTE" : beat ? "TIMR" : "LOG1";
    this.tell(from.me, "sent", topic, `→ S${to.me} #${call} ${method} term=${term} ${says}`, {
      call,
      peer: to.me,
      method,
      term,
      beat: beat === true,
    });
    let done = false;
    const end = (ok, reply) => {
      if (done || !from.up) return;
      done = true;
      this.tell(from.me, "returned", topic, `${ok ? "↩" : "✗"} S${to.me} #${call}`, {
        call,
        peer: to.me,
        ok,
      });
      if (ok) finish(reply);
    };
    this.after(200 * MS, () => end(false));
    const deliver = () =>
      this.travel(from, to, { call, topic, leg: "request" }, () => {
        if (!to.up) return this.fate(from, to, call, "request", "gone");
        this.tell(to.me, "delivered", topic, `S${from.me} #${call} ${method}`, {
          call,
          peer: from.me,
        });
        const reply = handle();
        this.tell(
          to.me,
          "answered",
          topic,
          `↩ S${from.me} #${call} term=${reply.term} ok=${reply.ok}`,
          { call, peer: from.me, ...reply },
        );
        this.travel(to, from, { call, topic, leg: "reply" }, () => end(true, reply));
      });
    deliver();
    if (this.lossy && this.random() < 0.03) {
      this.fate(from, to, call, "request", "repeated", "repeat");
      deliver();
    }
  }

  fate(from, to, call, leg, fate, rule = "", more = {}) {
    this.tell(from.me, "network", "DROP", `${leg} #${call} ${fate}`, {
      call,
      peer: to.me,
      leg,
      fate,
      rule,
      ...more,
    });
  }

  travel(from, to, { call, leg }, arrive) {
    if (this.cut.has(`${from.me} ${to.me}`)) return this.fate(from, to, call, leg, "lost", "cut");
    if (this.lossy && this.random() < 0.06)
      return this.fate(from, to, call, leg, "lost", "unreliable");
    let delay = (1 + 8 * this.random()) * MS;
    if (this.lossy && this.random() < 0.04) {
      delay += (30 + 100 * this.random()) * MS;
      this.fate(from, to, call, leg, "delayed", "long delays", { for: Math.round(delay) });
    }
    this.after(delay, arrive);
  }

  invoke(client) {
    const op = this.nextOperation++;
    const leader = this.servers.find((server) => server.up && server.role === "leader");
    const span = (25 + 40 * this.random()) * MS;
    const point = leader ? Math.round(this.now + span * (0.3 + 0.5 * this.random())) : null;
    const conflict = op % 97 === 5;
    this.tell(client, "invoke", "CLNT", `put k${op % 5} = v${op}`, { op, point, conflict });
    if (leader) {
      leader.log.push(leader.term);
      this.save(
        leader,
        "entries",
        `writes entry ${this.last(leader)}`,
        this.logChange(leader, this.last(leader)),
      );
      for (const peer of this.servers) if (peer !== leader) this.append(leader, peer);
    }
    this.after(span, () => {
      const [words, ok] = leader ? ["ok", true] : ["no answer", false];
      this.tell(client, "return", "CLNT", words, { op, ok });
      this.after((10 + 60 * this.random()) * MS, () => this.invoke(client));
    });
  }
}

/** A whole page's data: a run with the given size, and with a failure unless told otherwise. */
export function sampleRun({
  servers = 3,
  clients = 2,
  events = 3000,
  seed = 17,
  lossy = true,
  fails = true,
} = {}) {
  const simulation = new Simulation({ servers, clients, seed, events, lossy }).run();
  const elapsed = simulation.events.at(-1)?.at ?? 0;
  const data = {
    format: 1,
    run: {
      test: "backup_2b",
      part: "2B",
      title: "A leader backs up quickly over incorrect follower logs.",
      design: "mine",
      schedule: "random",
      seed,
      strict: false,
      elapsed,
      hash: "00114a5bc0ffee42",
      replay: `raftlab replay backup_2b --seed ${seed} --design mine`,
    },
    lanes: simulation.lanes,
    failure: null,
    total: simulation.events.length,
    events: simulation.events,
  };
  return fails ? withFailure(data, servers) : data;
}

function withFailure(data, servers) {
  const event = Math.floor(data.events.length * 0.7);
  const at = data.events[event].at;
  data.events.splice(event, 0, {
    at,
    lane: 1 % servers,
    kind: "broken",
    topic: "ERRO",
    rule: "ElectionSafety",
    text: "broken: ElectionSafety: two leaders in term 3",
  });
  data.total = data.events.length;
  data.failure = {
    rule: "ElectionSafety",
    at,
    event,
    message:
      "two servers lead term 3: S0 since 1.204117 s and S1 since 1.371040 s\nboth won 2 votes of 3",
    where: `S1, leader of term 3; virtual time ${(at / 1e9).toFixed(6)} s; event ${event}`,
    hint: "Does a server save its vote before it answers?",
  };
  return data;
}

/** The events around the failure of a longer run; each server's first one has its whole state. */
export function windowOf(data, size) {
  const from = Math.max(0, data.failure.event - (size >> 1));
  const events = data.events.slice(from, from + size).map((event) => ({ ...event }));
  data.lanes.forEach((lane, number) => {
    const first = events.findIndex((event) => event.lane === number);
    if (lane.kind === "server" && first >= 0) {
      events[first].state = wholeState(data.events.slice(0, from + first + 1), number);
    }
  });
  return {
    ...data,
    events,
    total: data.events.length,
    failure: { ...data.failure, event: data.failure.event - from },
  };
}

/** The state of a server after some events, in the form of a change that sets every field. */
export function wholeState(events, lane) {
  const { log, ...state } = stateOf(events, lane);
  const runs = log.slice(state.base[0]).map((term) => [1, term]);
  return { ...state, log: { from: state.base[0] + 1, runs } };
}

/** The same with the log as a plain list: the term of entry 1 is the first. */
export function stateOf(events, lane) {
  const state = {
    up: false,
    role: "follower",
    term: 0,
    vote: null,
    base: [0, 0],
    durable: 0,
    commit: 0,
    applied: 0,
    log: [],
  };
  for (const event of events) {
    if (event.lane !== lane || !event.state) continue;
    const { log, ...fields } = event.state;
    Object.assign(state, fields);
    if (log)
      state.log = [
        ...state.log.slice(0, log.from - 1),
        ...log.runs.flatMap(([n, term]) => Array(n).fill(term)),
      ];
    // A snapshot may cover entries that the log never had.
    while (state.log.length < state.base[0]) state.log.push(state.base[1]);
  }
  return state;
}

export function emptyRun() {
  const data = sampleRun({ events: 300, fails: false });
  return { ...data, events: [], total: 0, run: { ...data.run, elapsed: 0 } };
}

/** A history of two clients without servers; the second answer contradicts the first if `wrong`. */
export function sampleHistory(wrong) {
  const event = (at, lane, kind, op, more) => ({ at: at * MS, lane, kind, op, topic: "CLNT", ...more });
  const events = [
    event(0, 0, "invoke", 1, { words: "put a = 1", text: "calls put a = 1", point: 10 * MS }),
    event(40, 0, "return", 1, { words: "", text: "is answered", ok: true }),
    event(50, 1, "invoke", 2, { words: "get a", text: "calls get a", conflict: wrong }),
    event(90, 1, "return", 2, { words: wrong ? "2" : "1", text: "is answered", ok: true }),
  ];
  const run = {
    test: "history.jsonl", title: "2 operations, judged as kv", part: "", design: "", schedule: "",
    seed: "0", strict: false, elapsed: 90 * MS, hash: "", replay: "",
    verdict: wrong ? "not linearizable" : "linearizable",
  };
  const lanes = ["C0", "C1"].map((name) => ({ name, kind: "client", played: false }));
  const failure = { rule: "Linearizability", message: "cannot be placed", where: "", at: 50 * MS };
  return { format: 1, run, lanes, failure: wrong ? failure : null, total: 4, events };
}

export const HOSTILE = [
  "</script><script>window.harmed = 1</script>",
  "<img src=x onerror='window.harmed = 2'>",
  "<iframe src='https://example.com/'></iframe>",
  "two\u2028lines\u2029here",
  "\u202eright to left\u202c \u2066isolated\u2069 \u200f",
  "half \ud83d of a pair",
  "\u0000\u0007\u001b[31m control",
  "VIEWER_DATA /*VIEWER_JS*/ $& $1 ]]>",
  "'\"`; alert(1) //",
  `long ${"x".repeat(100000)}`,
  "__proto__",
  "constructor",
];

/** A run in which every string tries to do harm. */
export function hostileRun() {
  const data = sampleRun({ events: 600, servers: 3, clients: 2 });
  const harm = (i) => HOSTILE[i % HOSTILE.length];
  data.lanes.forEach((lane, i) => (lane.name = harm(i)));
  data.events.forEach((event, i) => {
    event.text = harm(i);
    if (event.method) event.method = harm(i >> 3);
    if (event.rule) event.rule = harm(i >> 2);
    if (i % 50 === 0) event.topic = harm(i);
    if (i % 70 === 0 && event.kind === "note") event.kind = harm(i);
  });
  for (const field of ["test", "part", "title", "design", "schedule", "hash", "replay"]) {
    data.run[field] = harm(field.length);
  }
  data.run.test = HOSTILE.join(" ");
  data.failure = {
    ...data.failure,
    rule: harm(0),
    message: HOSTILE.join("\n"),
    where: harm(1),
    hint: harm(9),
  };
  return data;
}

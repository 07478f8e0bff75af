// Tests of the space-time page in a real browser.
//
//   CHROMIUM=/usr/bin/chromium node --test page.test.mjs
//   node page.test.mjs made-by-the-program.html …
//
// VIEW       directory of page.html, viewer.css and the scripts; ../../src/view/page if it is not set
// CHROMIUM   the browser; /usr/bin/chromium if it is not set
// PAGES      finished pages to open as well, separated by ":"; arguments are added to them
// SLOWNESS   how many times slower than a desktop this machine may be; 1 if it is not set

import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import vm from "node:vm";
import { chromium } from "playwright-core";
import { SCRIPTS, pack, pageOf } from "./build.mjs";
import {
  HOSTILE, emptyRun, hostileRun, sampleHistory, sampleRun, stateOf, windowOf,
} from "./sample.mjs";

const VIEW = resolve(process.env.VIEW ?? fileURLToPath(new URL("../../src/view/page", import.meta.url)));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PAGES = [...(process.env.PAGES ?? "").split(":"), ...process.argv.slice(2)].filter(Boolean);
const SLOWNESS = Number(process.env.SLOWNESS ?? 1);

const directory = mkdtempSync(join(tmpdir(), "raftlab-page-"));
const small = sampleRun({ events: 3000, servers: 5, clients: 3, seed: 5 });
const large = sampleRun({ events: 100000, servers: 5, clients: 3, seed: 7 });
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-background-networking"],
  });
});
after(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true });
});

function write(name, data) {
  return writePacked(name, pack(data));
}

function writePacked(name, packed) {
  const path = join(directory, `${name}.html`);
  writeFileSync(path, pageOf(VIEW, packed));
  return path;
}

/** Opens a page and notes everything that it must not do. */
async function open(t, path, { hash = "", waits = "drawn", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const wrongs = [];
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  const url = pathToFileURL(path).href;
  page.on("request", (request) => {
    const own = request.url().split("#")[0] === url || request.url().startsWith("data:");
    if (!own) wrongs.push(`request: ${request.url().slice(0, 200)}`);
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(event.violatedDirective);
    });
  });
  const client = await page.context().newCDPSession(page);
  // Time of the page's own thread: it does not depend on what else the machine does.
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () =>
    1000 *
    (await client.send("Performance.getMetrics")).metrics.find(
      ({ name }) => name === "TaskDuration",
    ).value;
  await page.goto(url + hash);
  const ready = {
    drawn: () => performance.getEntriesByName("raftlab-drawn").length > 0,
    message: () => document.getElementById("message").textContent.startsWith("This page cannot"),
    either: () =>
      performance.getEntriesByName("raftlab-drawn").length > 0 ||
      document.getElementById("message").textContent.startsWith("This page cannot"),
  };
  await page.waitForFunction(ready[waits], null, { timeout: 60000 });
  await settle(page);
  return { page, wrongs, busy };
}

/** Waits until what was changed has been drawn. */
const settle = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

const textOf = (page, id) => page.evaluate((name) => document.getElementById(name).textContent, id);
const cursorOf = async (page) => Number(/cursor ([\d.]+) s/.exec(await textOf(page, "readout"))[1]);
const windowLength = async (page) => /window (.*)$/.exec(await textOf(page, "readout"))[1];

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
  await settle(page);
}

const rowTexts = (page, selector = ".row") =>
  page.$$eval(`#list ${selector}`, (rows) => rows.map((row) => row.textContent));

/** How many colours the diagram has, and a number that changes with the picture. */
const pictureOf = (page) =>
  page.evaluate(() => {
    const canvas = document.getElementById("diagram");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) {
      const colour = data[i] * 65536 + data[i + 1] * 256 + data[i + 2];
      colours.add(colour);
      sum = (sum * 31 + colour) % 1000000007;
    }
    return { colours: colours.size, sum, corner: [...data.slice(0, 3)] };
  });

async function assertHarmless(page, wrongs) {
  assert.deepEqual(wrongs, []);
  assert.deepEqual(
    await page.evaluate(() => window.violations),
    [],
    "the policy had to block something",
  );
  assert.equal(
    await page.evaluate(() => window.harmed),
    undefined,
    "a string of the data ran as a script",
  );
  const foreign = await page.$$eval(
    "iframe, img, object, embed, link[href^=http], script[src]",
    (all) => all.length,
  );
  assert.equal(foreign, 0, "a string of the data became an element");
}

describe("the page", () => {
  const smallPage = write("small", small);

  test("opens at the failure and draws it", async (t) => {
    const { page, wrongs } = await open(t, smallPage);
    assert.equal(await textOf(page, "rule"), "ElectionSafety");
    assert.match(await textOf(page, "failure-message"), /two servers lead term 3.*\nboth won/);
    assert.equal(await textOf(page, "replay"), small.run.replay);
    assert.equal(await cursorOf(page), Number((small.failure.at / 1e9).toFixed(6)));
    assert.equal(await windowLength(page), "400 ms");
    assert.match((await rowTexts(page, ".row.selected"))[0], /broken: ElectionSafety/);
    assert.ok((await pictureOf(page)).colours > 20, "the diagram must not be empty");
    await assertHarmless(page, wrongs);
  });

  test("returns to the failure by button and key", async (t) => {
    const { page } = await open(t, smallPage);
    for (const go of [() => page.click("#failure button"), () => press(page, "f")]) {
      await press(page, "0", "e", "e");
      assert.notEqual(await cursorOf(page), Number((small.failure.at / 1e9).toFixed(6)));
      await go();
      await settle(page);
      assert.equal(await cursorOf(page), Number((small.failure.at / 1e9).toFixed(6)));
    }
  });

  test("shows a run without a failure from its beginning", async (t) => {
    const quiet = sampleRun({ events: 3000, fails: false, lossy: false });
    const { page, wrongs } = await open(t, write("quiet", quiet));
    assert.ok(await page.isHidden("#failure"));
    assert.ok(await page.isVisible("#verdict"));
    assert.equal(await cursorOf(page), 0);
    await press(page, "f");
    assert.match(await textOf(page, "said"), /no failure/);
    await assertHarmless(page, wrongs);
  });

  test("shows an empty run, and a small one", async (t) => {
    const { page, wrongs } = await open(t, write("empty", emptyRun()));
    assert.match(await textOf(page, "notice"), /no events/);
    await press(page, "n", "p", "x", "e", "f", "c", "m", "0", "+", "-", "h");
    await assertHarmless(page, wrongs);
    const tiny = await open(t, write("tiny", sampleRun({ events: 300 })));
    assert.ok((await pictureOf(tiny.page)).colours > 20, "the diagram must not be empty");
    await assertHarmless(tiny.page, tiny.wrongs);
  });

  test("shows a history whole, with its verdict, and nothing of servers", async (t) => {
    const right = await open(t, write("right", sampleHistory(false)));
    assert.equal(await textOf(right.page, "verdict"), "linearizable");
    assert.equal(await textOf(right.page, "facts"), "0.090 s · 4 events");
    for (const part of ["#state", "#cone", "#beats", "#replay-line"])
      assert.ok(await right.page.isHidden(part), part);
    const wrong = await open(t, write("wrong", sampleHistory(true)));
    assert.equal(await textOf(wrong.page, "rule"), "Linearizability");
    assert.ok(await wrong.page.isHidden("#where"));
    assert.equal(await windowLength(wrong.page), await windowLength(right.page), "the whole history");
    const pictures = [await pictureOf(right.page), await pictureOf(wrong.page)];
    assert.notEqual(pictures[0].sum, pictures[1].sum, "the contradiction must be seen");
    await assertHarmless(wrong.page, wrong.wrongs);
  });

  test("says so if it has only a part of the run", async (t) => {
    const part = windowOf(small, 500);
    const { page, wrongs } = await open(t, write("part", part));
    assert.match(await textOf(page, "notice"), /500 of the run's 3\u00a0001 events/);
    assert.equal(await cursorOf(page), Number((small.failure.at / 1e9).toFixed(6)));
    await assertHarmless(page, wrongs);
  });

  test("shows the state of every server at the cursor", async (t) => {
    const { page } = await open(t, smallPage);
    for (const event of [0, 700, 1200, 2100, 2999]) {
      await page.evaluate((hash) => (location.hash = hash), `#sel=${event}`);
      await page.waitForFunction(
        (at) => document.getElementById("readout").textContent.includes(at),
        (small.events[event].at / 1e9).toFixed(6),
      );
      const rows = await page.$$eval("#states tbody tr", (all) =>
        all.map((row) => [...row.cells].slice(1, 7).map((cell) => cell.textContent)),
      );
      rows.forEach((row, lane) => {
        const state = stateOf(small.events.slice(0, event + 1), lane);
        const vote = state.vote === null ? "–" : `S${state.vote}`;
        const role = state.up ? state.role : "down";
        assert.deepEqual(
          row,
          [role, ...[state.term, vote, state.commit, state.applied, state.durable].map(String)],
          `S${lane} after event ${event}`,
        );
      });
    }
  });

  test("goes to an address that is entered while it writes its own", async (t) => {
    const { page } = await open(t, smallPage);
    await page.evaluate(async () => {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      // Both are due after the loop: this one first, the page's own second.
      setTimeout(() => (location.hash = "#sel=1200"), 0);
      for (const end = performance.now() + 500; performance.now() < end; );
    });
    await page.waitForFunction(
      (at) => document.getElementById("readout").textContent.includes(at),
      (small.events[1200].at / 1e9).toFixed(6),
      { timeout: 5000 },
    );
  });

  test("filters the list and the arrows", async (t) => {
    const { page } = await open(t, smallPage);
    await page.click("#filters summary");
    const whole = await pictureOf(page);
    await page.click("#topics button:text-is('VOTE')");
    await settle(page);
    const rows = await rowTexts(page);
    assert.ok(rows.length > 10 && rows.every((row) => row.includes("VOTE")), rows.join("\n"));
    assert.match(await textOf(page, "filter-count"), /^\d+ of 3\u00a0001 events$/);
    assert.notEqual((await pictureOf(page)).sum, whole.sum, "arrows of other topics must go");
    await page.click("#clear-filters");
    await settle(page);
    assert.equal((await pictureOf(page)).sum, whole.sum);

    await page.click("#lanes button:text-is('S2')");
    await page.click("#methods button:text-is('append_entries')");
    await page.fill("#term", "2-3");
    await settle(page);
    const wanted = small.events.filter((event) => event.lane === 2 && isAppendOfTerms(event, 2, 3));
    assert.equal(await textOf(page, "filter-count"), `${wanted.length} of 3\u00a0001 events`);
    await page.fill("#term", "two");
    assert.equal(await page.getAttribute("#term", "aria-invalid"), "true");
  });

  function isAppendOfTerms(event, low, high) {
    const sent = small.events.find((other) => other.kind === "sent" && other.call === event.call);
    const term = event.term ?? sent?.term;
    return sent?.method === "append_entries" && term >= low && term <= high;
  }

  test("hides heartbeats", async (t) => {
    const { page } = await open(t, smallPage);
    const whole = await pictureOf(page);
    await press(page, "h");
    assert.notEqual((await pictureOf(page)).sum, whole.sum);
    assert.ok((await rowTexts(page)).every((row) => !row.includes(" beat ")));
    assert.equal(await page.getAttribute("#beats", "aria-pressed"), "false");
  });

  test("searches forwards and backwards", async (t) => {
    const { page } = await open(t, smallPage);
    const places = small.events.flatMap((event, i) =>
      event.text.includes("leads term") ? [i] : [],
    );
    await press(page, "/");
    await page.keyboard.type("LEADS Term");
    await page.keyboard.press("Enter");
    await settle(page);
    const next = places.find((i) => i > small.failure.event) ?? places[0];
    assert.equal(
      await textOf(page, "matches"),
      `${places.indexOf(next) + 1} of ${places.length} found`,
    );
    assert.match((await rowTexts(page, ".row.selected"))[0], /leads term/);
    await press(page, "Shift+Enter");
    const before = places[(places.indexOf(next) + places.length - 1) % places.length];
    assert.equal(await cursorOf(page), Number((small.events[before].at / 1e9).toFixed(6)));
    await page.fill("#search", "no such words");
    await page.waitForFunction(() => document.getElementById("matches").textContent === "0 found");
  });

  test("moves by keys", async (t) => {
    const { page, wrongs } = await open(t, smallPage);
    const selected = async () =>
      Number(await page.$eval(".row.selected", (row) => row.dataset.event));
    const start = await selected();
    await press(page, "n", "n", "j");
    assert.equal(await selected(), start + 3);
    await press(page, "p", "k");
    assert.equal(await selected(), start + 1);
    await press(page, "N");
    const { lane } = small.events[start + 1];
    assert.equal(
      await selected(),
      small.events.findIndex((event, i) => i > start + 1 && event.lane === lane),
    );
    await press(page, "0");
    const whole = await windowLength(page);
    await press(page, "+");
    assert.notEqual(await windowLength(page), whole);
    await press(page, "x");
    assert.equal(small.events[await selected()].kind, "link");
    await press(page, "e");
    assert.match(small.events[await selected()].state.role, /candidate|leader/);
    await press(page, "?");
    assert.ok(await page.isVisible("#help"));
    assert.ok((await page.$$("#keys tr")).length > 15);
    await press(page, "Escape", "Escape");
    assert.ok(await page.isHidden("#help"));
    assert.equal(
      await page.locator(".row.selected").count(),
      0,
      "the second Escape drops the selection",
    );
    await assertHarmless(page, wrongs);
  });

  test("follows a message, and dims what is outside the cone", async (t) => {
    const sent = small.events.findIndex(
      (event, i) =>
        i > 2100 &&
        event.kind === "sent" &&
        small.events.some(
          (other) => other.kind === "returned" && other.call === event.call && other.ok,
        ),
    );
    const { page } = await open(t, smallPage, { hash: `#sel=${sent}` });
    await press(page, "m");
    assert.match(await textOf(page, "detail"), /delivered/);
    const bright = await pictureOf(page);
    await press(page, "c");
    assert.notEqual((await pictureOf(page)).sum, bright.sum);
    await press(page, "c");
    assert.equal((await pictureOf(page)).sum, bright.sum);
  });

  test("selects by click in the list and in the diagram, zooms and drags", async (t) => {
    const { page } = await open(t, smallPage);
    const row = page.locator("#list .row").nth(8);
    const event = Number(await row.getAttribute("data-event"));
    await row.click();
    await settle(page);
    assert.equal(await cursorOf(page), Number((small.events[event].at / 1e9).toFixed(6)));
    const box = await page.locator("#diagram").boundingBox();
    await page.mouse.click(box.x + 400, box.y + 6);
    await settle(page);
    assert.equal(await page.locator(".row.selected").count(), 0, "an empty place selects nothing");
    const at = await cursorOf(page);
    await page.mouse.move(box.x + 400, box.y + 200);
    await page.mouse.wheel(0, -400);
    await settle(page);
    assert.notEqual(await windowLength(page), "400 ms");
    await page.mouse.down();
    await page.mouse.move(box.x + 100, box.y + 200, { steps: 5 });
    await page.mouse.up();
    await settle(page);
    assert.equal(await cursorOf(page), at, "dragging does not move the cursor");
  });

  test("keeps its place in the address and restores it", async (t) => {
    const { page } = await open(t, smallPage);
    await page.click("#filters summary");
    await page.click("#topics button:text-is('LOG1')");
    await press(page, "n", "+", "h");
    await page.fill("#search", "append & <more>");
    await page.waitForFunction(() => location.hash.includes("q="));
    const hash = await page.evaluate(() => location.hash);
    assert.match(hash, /^#t=\d+&w=\d+&sel=\d+/);
    const again = (await open(t, smallPage, { hash })).page;
    for (const id of ["readout", "filter-count", "matches", "detail"]) {
      assert.equal(await textOf(again, id), await textOf(page, id), id);
    }
    assert.equal((await pictureOf(again)).sum, (await pictureOf(page)).sum);
    await again.evaluate(() => (location.hash = "#t=500000000&w=2000000&c=500000000"));
    await again.waitForFunction(() =>
      document.getElementById("readout").textContent.includes("cursor 0.500000 s · window 2 ms"),
    );
  });

  test("survives a senseless address", async (t) => {
    const hash =
      "#t=NaN&w=-5&sel=1e99&c=x&lane=-1,99,x&topic=<b>&term=(((&q=%00%ff&method=__proto__&cone=7";
    const { page, wrongs } = await open(t, smallPage, { hash });
    assert.ok((await pictureOf(page)).colours > 5);
    await assertHarmless(page, wrongs);
  });

  test("has a light and a dark theme, and fits narrow windows", async (t) => {
    const { page } = await open(t, smallPage, { colorScheme: "dark" });
    assert.ok((await pictureOf(page)).corner[0] < 60);
    await press(page, "t");
    assert.equal((await pictureOf(page)).corner[0], 255);
    for (const width of [1000, 600, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await settle(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} pixels too wide at ${width}`);
    }
  });

  test("copies the replay line", async (t) => {
    const { page, wrongs } = await open(t, smallPage, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.click("#copy");
    await page.waitForFunction(() => document.getElementById("said").textContent !== "");
    assert.match(await textOf(page, "said"), /Copied|Selected/);
    await assertHarmless(page, wrongs);
  });
});

describe("hostile data", () => {
  test("stays text", async (t) => {
    const path = write("hostile", hostileRun());
    const { page, wrongs } = await open(t, path);
    assert.equal(await textOf(page, "rule"), HOSTILE[0]);
    await page.click("#filters summary");
    await page.click("#legend-box summary");
    for (const list of ["topics", "lanes", "methods"]) await page.click(`#${list} button`);
    await page.click("#clear-filters");
    await press(page, "0", "c", ..."nnnnnnnnnnnnnn".split(""), ..."xXeEm".split(""));
    const box = await page.locator("#diagram").boundingBox();
    for (let x = 100; x < 700; x += 60) await page.mouse.move(box.x + x, box.y + x / 3);
    await page.fill("#search", "<img");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(400);
    await assertHarmless(page, wrongs);
  });

  test("with strange values is shown or refused in words, never blank", async (t) => {
    const strange = [null, -1, 1e300, "x", [], {}, true, 0.5];
    const fields = [
      "state",
      "call",
      "peer",
      "method",
      "term",
      "end",
      "for",
      "op",
      "point",
      "conflict",
      "ok",
      "text",
      "topic",
      "kind",
      "lane",
      "index",
      "leg",
      "fate",
      "rule",
      "up",
      "beat",
    ];
    for (const [n, value] of strange.entries()) {
      const data = sampleRun({ events: 400, seed: n + 1 });
      data.events.forEach((event, i) => {
        const field = fields[(i * 7 + n) % fields.length];
        // The page refuses lanes that do not exist; the test of damaged pages looks at that.
        if (i % 5 === 0 && field in event && !(["lane", "peer"].includes(field) && value !== null))
          event[field] = value;
        if (event.state && i % 11 === 0) {
          const inner = ["term", "role", "vote", "base", "log", "durable", "commit"][i % 7];
          event.state = { ...event.state, [inner]: value };
        }
      });
      const path = write(`strange-${n}`, data);
      const { page, wrongs } = await open(t, path, { waits: "either" });
      if (await page.isHidden("#page")) continue;
      await press(page, "0", "c", "n", "n", "e", "x");
      assert.ok((await pictureOf(page)).colours > 5, `value ${JSON.stringify(value)}`);
      await assertHarmless(page, wrongs);
    }
  });

  test("is never treated as markup by the source", () => {
    const source = SCRIPTS.map((name) => readFileSync(join(VIEW, name), "utf8")).join("\n");
    for (const word of [
      "innerHTML",
      "outerHTML",
      "insertAdjacentHTML",
      "document.write",
      "eval(",
      "new Function",
      "createContextualFragment",
      "setHTML",
      "</script",
    ]) {
      assert.ok(!source.includes(word), word);
    }
  });
});

describe("a damaged page says what is wrong", () => {
  const text = (value) => gzipSync(JSON.stringify(value)).toString("base64");
  const good = pack(sampleRun({ events: 300 }));
  const with_ = (change) => {
    const data = sampleRun({ events: 300 });
    change(data);
    return text(data);
  };
  const damages = {
    "no data": ["", /contains no data/],
    "no base64": ["*** not base64 ***", /not base64/],
    "cut off": [good.slice(0, good.length >> 1), /cannot be unpacked|not base64/],
    "one letter changed": [
      `${good.slice(0, 400)}${good[400] === "A" ? "B" : "A"}${good.slice(401)}`,
      /cannot be unpacked|not JSON/,
    ],
    "no JSON": [gzipSync('{"format": 1,').toString("base64"), /not JSON/],
    "not an object": [text([1, 2]), /not an object/],
    "another format": [with_((data) => (data.format = 2)), /format 2; this page reads 1/],
    "no events": [with_((data) => delete data.events), /list of events is missing/],
    "an event without time": [with_((data) => (data.events[7].at = "soon")), /event 7 has no time/],
    "time runs backwards": [
      with_((data) => (data.events[7].at = 0)),
      /earlier than the one before/,
    ],
    "an unknown lane": [with_((data) => (data.events[7].lane = 99)), /lane that does not exist/],
    "an unknown peer": [with_((data) => (data.events[7].peer = 99)), /peer that does not exist/],
  };
  for (const [name, [packed, words]] of Object.entries(damages)) {
    test(name, async (t) => {
      const path = writePacked(`damaged ${name}`.replaceAll(" ", "-"), packed);
      const { page } = await open(t, path, { waits: "message" });
      assert.match(await textOf(page, "message"), words);
      assert.ok(await page.isHidden("#page"));
    });
  }
});

describe("the model", () => {
  const names = "buildModel, coneOf, inCone, stateAt, eachArrow, entryTerm, termRange";
  const files = ["model.js", "messages.js", "states.js", "spans.js"];
  const code = files.map((name) => readFileSync(join(VIEW, name), "utf8")).join("\n");
  const source = `${code}\n;({ ${names} })`;
  const { buildModel, coneOf, inCone, stateAt, eachArrow, entryTerm, termRange } =
    vm.runInNewContext(source, {});
  const model = buildModel(structuredClone(small));

  test("has the cone of causes and effects of every event", () => {
    const edges = small.events.map(() => []);
    const last = new Map();
    small.events.forEach(({ lane }, i) => {
      if (lane === null) return;
      if (last.has(lane)) edges[last.get(lane)].push(i);
      last.set(lane, i);
      if (model.source[i] >= 0) edges[model.source[i]].push(i);
    });
    const back = small.events.map(() => []);
    edges.forEach((list, from) => list.forEach((to) => back[to].push(from)));
    for (let chosen = 5; chosen < small.events.length; chosen += 211) {
      if (small.events[chosen].lane === null) continue;
      const wanted = new Set([...reach(edges, chosen), ...reach(back, chosen)]);
      const cone = coneOf(model, chosen);
      small.events.forEach((_, i) => {
        assert.equal(inCone(model, cone, i), wanted.has(i), `event ${i} in the cone of ${chosen}`);
      });
    }
  });

  function reach(edges, from) {
    const seen = new Set([from]);
    for (const event of seen) for (const next of edges[event]) seen.add(next);
    return seen;
  }

  test("replays states and logs from its checkpoints", () => {
    for (let event = 0; event < small.events.length; event += 97) {
      for (const lane of model.servers) {
        const state = stateAt(model, lane, event);
        const wanted = stateOf(small.events.slice(0, event + 1), lane);
        assert.equal(state.term, wanted.term);
        assert.equal(state.last, wanted.log.length, `last index of S${lane} after event ${event}`);
        for (let index = state.base[0] + 1; index <= state.last; index++) {
          assert.equal(entryTerm(state.log, index), wanted.log[index - 1]);
        }
      }
    }
  });

  test("finds the arrows that cross a window", () => {
    const { arrows } = model;
    for (let from = 0; from < 2.6e9; from += 7e6) {
      const found = [];
      eachArrow(arrows, from, from + 3e6, (i) => found.push(i));
      const wanted = [];
      for (let i = 0; i < arrows.count; i++) {
        if (arrows.start[i] <= from + 3e6 && arrows.end[i] >= from) wanted.push(i);
      }
      assert.deepEqual(found, wanted);
    }
  });

  test("reads ranges of terms", () => {
    assert.deepEqual([...termRange("3")], [3, 3]);
    assert.deepEqual([...termRange(" 2 - 4 ")], [2, 4]);
    assert.deepEqual([...termRange("2-")], [2, Infinity]);
    for (const wrong of ["", "x", "-", "-3", "1-2-3"]) assert.equal(termRange(wrong), null, wrong);
  });
});

describe("a run of 100,000 events", () => {
  test("opens soon and pans smoothly", async (t) => {
    const path = write("large", large);
    const bytes = readFileSync(path).length;
    const { page, wrongs, busy } = await open(t, path);
    const work = await busy();
    const drawn = await page.evaluate(
      () => performance.getEntriesByName("raftlab-drawn")[0].startTime,
    );
    const near = await framesOfPan(page, busy);
    await press(page, "0");
    const whole = await framesOfPan(page, busy);
    const memory = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
    t.diagnostic(
      `page ${millions(bytes)} MB, JSON ${millions(JSON.stringify(large).length)} MB`,
    );
    t.diagnostic(
      `first picture after ${drawn.toFixed(0)} ms, ${work.toFixed(0)} ms of work, ` +
        `heap ${millions(memory)} MB`,
    );
    t.diagnostic(`panning 400 ms: ${wordsOf(near)}`);
    t.diagnostic(`panning the whole run: ${wordsOf(whole)}`);
    assert.ok(work < 2000 * SLOWNESS, `the first picture takes ${work} ms of work`);
    assert.ok(near.work < 16 * SLOWNESS, `a frame near the failure takes ${near.work} ms of work`);
    assert.ok(
      whole.work < 33 * SLOWNESS,
      `a frame of the whole run takes ${whole.work} ms of work`,
    );
    await assertHarmless(page, wrongs);
  });

  const wordsOf = ({ frames, median, worst, work }) =>
    `${frames} frames, one per ${median.toFixed(1)} ms (95%: ${worst.toFixed(1)} ms), ` +
    `${work.toFixed(1)} ms of work each`;

  const millions = (number) => (number / 1e6).toFixed(2);

  /** Drags the diagram for about a second: times between frames, and the page's work per frame. */
  async function framesOfPan(page, busy) {
    await page.evaluate(() => {
      window.times = [];
      const context = document.getElementById("diagram").getContext("2d");
      // Each drawing of the diagram begins with this call.
      context.setTransform = (...values) => {
        window.times.push(performance.now());
        CanvasRenderingContext2D.prototype.setTransform.apply(context, values);
      };
    });
    const box = await page.locator("#diagram").boundingBox();
    await page.mouse.move(box.x + 600, box.y + 150);
    await page.mouse.down();
    const before = await busy();
    for (let n = 1; n <= 80; n++) await page.mouse.move(box.x + 600 - n * 5, box.y + 150);
    const work = (await busy()) - before;
    await page.mouse.up();
    const times = await page.evaluate(() => window.times);
    const gaps = times
      .slice(1)
      .map((time, i) => time - times[i])
      .sort((a, b) => a - b);
    return {
      frames: gaps.length,
      median: gaps[gaps.length >> 1],
      worst: gaps[Math.floor(gaps.length * 0.95)],
      work: work / times.length,
    };
  }
});

describe("finished pages", () => {
  for (const path of PAGES) {
    test(basename(path), async (t) => {
      const { page, wrongs } = await open(t, resolve(path));
      assert.ok((await pictureOf(page)).colours > 5, "the diagram must not be empty");
      await press(page, "0", "n", "e", "x", "f", "c");
      await assertHarmless(page, wrongs);
    });
  }
});

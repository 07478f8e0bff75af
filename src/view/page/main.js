// Keys, buttons and the pointer; and the start of the page.

// Commands: each has a name for buttons, keys, and words for the help.

const command = (name, keys, says, run) => ({ name, keys: keys.split(" "), says, run });
const COMMANDS = [
  command("failure", "f", "go to the failure", (app) => app.goToFailure()),
  command("next", "n j", "next event in the list", (app) => app.next(app.rows)),
  command("previous", "p k", "previous event in the list", (app) => app.previous(app.rows)),
  command("next-here", "N J", "next event of the selected server", (app) =>
    app.next(app.ofServer())),
  command("previous-here", "P K", "previous event of the selected server", (app) =>
    app.previous(app.ofServer())),
  command("next-fault", "x", "next fault: crash, cut link or stall", (app) =>
    app.next(app.model.faults)),
  command("previous-fault", "X", "previous fault", (app) => app.previous(app.model.faults)),
  command("next-election", "e", "next election: a new candidate or leader", (app) =>
    app.next(app.model.elections)),
  command("previous-election", "E", "previous election", (app) =>
    app.previous(app.model.elections)),
  command("follow", "m", "follow the selected message to its next end", (app) =>
    app.followMessage()),
  command("cone", "c", "dim all that the selected event neither depends on nor influences", (app) =>
    app.toggleCone()),
  command("beats", "h", "show or hide heartbeats", (app) => app.toggleBeats()),
  command("zoom-in", "+ =", "zoom in (or turn the wheel over the diagram)", (app) =>
    app.zoom(1 / 1.6)),
  command("zoom-out", "-", "zoom out", (app) => app.zoom(1.6)),
  command("fit", "0", "show the whole run", (app) => app.fit()),
  command("left", "ArrowLeft", "move the window left (or drag the diagram)", (app) =>
    app.pan(-0.15)),
  command("right", "ArrowRight", "move the window right", (app) => app.pan(0.15)),
  command("search", "/", "search; Enter goes to the next match, Shift+Enter to the previous", () =>
    byId("search").focus()),
  command("theme", "t", "light or dark", (app) => app.setTheme(isDark() ? "light" : "dark")),
  command("help", "?", "this help", () => byId("help").showModal()),
  command("close", "Escape", "close the help, leave the search, or drop the selection", (app) => {
    if (app.selected >= 0) app.moveCursor(app.cursor);
  }),
];

const DARK = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => document.documentElement.dataset.theme === "dark";

function lengthOf(ns) {
  const [number, unit] = ns < 1e9 ? [ns / 1e6, "ms"] : [ns / 1e9, "s"];
  return `${Number(number.toPrecision(4))} ${unit}`;
}

/** A short message that goes away by itself. */
function say(words) {
  const box = byId("said");
  box.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (box.textContent = ""), 2500);
}

function connectCommands(app) {
  for (const button of document.querySelectorAll("[data-command]")) {
    const found = COMMANDS.find(({ name }) => name === button.dataset.command);
    button.title = `${found.says} (${found.keys.map((key) => KEY_NAMES[key] ?? key).join(", ")})`;
    button.addEventListener("click", () => found.run(app));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (event.target.matches("input")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const inList = { ArrowDown: "n", ArrowUp: "p" };
    const key = (event.target.id === "list" && inList[event.key]) || event.key;
    const found = COMMANDS.find(({ keys }) => keys.includes(key));
    if (!found) return;
    event.preventDefault();
    found.run(app);
  });
}

function connectSearch(app) {
  const input = byId("search");
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => app.search(input.value), 150);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (app.query !== input.value) app.search(input.value);
    app.nextMatch(event.shiftKey);
  });
}

// The pointer.

function connectDiagram(app) {
  const { canvas } = app.diagram;
  const box = byId("diagram-box");
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, top: box.scrollTop, from: app.from, to: app.to };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) dragDiagram(app, drag, event, box);
    else showTip(app, event);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) clickDiagram(app, event);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", () => (byId("tip").hidden = true));
  canvas.addEventListener("wheel", (event) => {
    if (event.shiftKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return app.pan(event.deltaX / 1000);
    const speed = event.deltaMode === 0 ? 0.0015 : 0.05;
    app.zoom(Math.exp(event.deltaY * speed), app.diagram.time(Math.max(GUTTER, event.offsetX)));
  }, { passive: false });
}

function dragDiagram(app, drag, event, box) {
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  drag.moved = true;
  byId("tip").hidden = true;
  box.scrollTop = drag.top - dy;
  const shift = (dx / (app.diagram.width - GUTTER)) * (drag.to - drag.from);
  app.setWindow(drag.from - shift, drag.to - shift);
}

function clickDiagram(app, { offsetX, offsetY }) {
  const { event, lane } = app.diagram.pick(offsetX, offsetY);
  if (event >= 0) app.select(event);
  else if (offsetX >= GUTTER) app.moveCursor(app.diagram.time(offsetX), lane);
  else {
    app.lane = lane;
    app.changed();
  }
}

function showTip(app, { offsetX, offsetY, clientX, clientY }) {
  const { model } = app;
  const { event } = app.diagram.pick(offsetX, offsetY);
  const tip = byId("tip");
  tip.hidden = event < 0;
  if (event < 0) return;
  tip.textContent = `${seconds(model.at[event])} s ${shortened(lineOf(model, event), 300)}`;
  tip.style.left = `${Math.min(clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
}

function connectOverview(app) {
  const { canvas } = app.overview;
  const go = (event) => app.center(app.overview.time(event.offsetX));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    go(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) go(event);
  });
}

// The rest of the window.

function connectWindow(app) {
  new ResizeObserver(() => app.resize()).observe(byId("diagram-box"));
  window.addEventListener("hashchange", () => {
    if (location.hash !== app.address) app.restore(location.hash);
  });
  DARK.addEventListener("change", () => app.setTheme(DARK.matches ? "dark" : "light"));
  // Paper is white: a canvas is printed as it was drawn, so it must be drawn again.
  let screenTheme = "light";
  window.addEventListener("beforeprint", () => {
    screenTheme = document.documentElement.dataset.theme;
    app.setTheme("light");
    app.draw();
  });
  window.addEventListener("afterprint", () => app.setTheme(screenTheme));
  byId("copy").addEventListener("click", copyReplay);
}

/** Copies the replay line. Pages from files may have no clipboard, so the text is selected too. */
async function copyReplay() {
  getSelection().selectAllChildren(byId("replay"));
  try {
    await navigator.clipboard.writeText(byId("replay").textContent);
    say("Copied.");
  } catch {
    say(document.execCommand("copy") ? "Copied." : "Selected: copy it with Ctrl+C.");
  }
}

function showDamage(error) {
  const words = error instanceof Damaged
    ? error.message
    : `the data has a form that the page does not expect (${visible(String(error.message))}).`;
  byId("page").hidden = true;
  byId("message").hidden = false;
  byId("message").textContent = `This page cannot show its run: ${words} ` +
    "Make the page again with raftlab; if that does not help, please report it.";
}

async function start() {
  document.documentElement.dataset.theme = DARK.matches ? "dark" : "light";
  window.addEventListener("error", ({ message }) => say(`The page failed to do this: ${message}`));
  try {
    const model = buildModel(await unpack(byId("data").textContent));
    byId("data").textContent = "";
    byId("message").hidden = true;
    byId("page").hidden = false;
    openRun(model);
  } catch (error) {
    showDamage(error);
    console.error(error);
  }
}

function openRun(model) {
  fillHeader(model);
  const app = new App(model);
  fillFilters(model, app.filter, () => app.applyFilter());
  fillLegend(app.diagram.theme);
  fillHelp(COMMANDS);
  connectCommands(app);
  connectSearch(app);
  connectDiagram(app);
  connectOverview(app);
  connectWindow(app);
  app.fit();
  const hasServers = model.servers.length > 0;
  for (const part of document.querySelectorAll(".of-servers")) part.hidden = !hasServers;
  // The operations of a history are best seen all at once.
  if (app.violation && hasServers) app.goToFailure();
  if (location.hash.length > 1) app.restore(location.hash);
  app.resize();
  app.draw();
  performance.mark("raftlab-drawn");
}

start();

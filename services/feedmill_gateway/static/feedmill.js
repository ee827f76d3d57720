// The page is complete without this. With it, progress moves and cards arrive by themselves.

const entries = document.getElementById("entries");
const feeds = document.getElementById("feeds");
const runPlace = document.getElementById("run-place");
const SHOWN_AT_MOST = 100;

// Server-rendered HTML, escaped and sanitised there.
async function fragment(path) {
  const answer = await fetch(path);
  if (!answer.ok) return null;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  return template.content;
}

// --- Entries ---

const wanted = new Set();
let fetching = false;
// In the list of all feeds a story stands once, whichever of its entries is asked for.
const only = entries.dataset.only ? `?feed=${entries.dataset.only}` : "";

function wantCard(event) {
  const isShown = document.getElementById(`entry-${event.entryId}`) !== null;
  const belongs = !entries.dataset.only || Number(entries.dataset.only) === event.feedId;
  if (!isShown && (entries.dataset.live !== "all" || !belongs)) return;
  wanted.add(event.entryId);
  if (!fetching) fetchCards();
}

async function fetchCards() {
  fetching = true;
  for (const id of wanted) {
    wanted.delete(id);
    const card = (await fragment(`/fragments/entries/${id}${only}`).catch(() => null))?.querySelector("article");
    if (!card) continue;
    // Another entry stands for its story now.
    if (card.id !== `entry-${id}`) document.getElementById(`entry-${id}`)?.remove();
    place(card);
  }
  fetching = false;
}

function place(card) {
  card.classList.add("fresh");
  const shown = document.getElementById(card.id);
  if (shown) return shown.replaceWith(card);
  const at = (element) => Number(element.dataset.at);
  const older = [...entries.children].find((other) => at(other) < at(card));
  entries.insertBefore(card, older ?? null);
  document.getElementById("no-entries").hidden = true;
  while (entries.children.length > SHOWN_AT_MOST) entries.lastElementChild.remove();
}

// --- Feeds ---

let feedsTimer = null;
let feedsWaitMs = 1000;

function wantFeeds() {
  feedsTimer ??= setTimeout(async () => {
    feedsTimer = null;
    const askedAt = performance.now();
    // Not under somebody's keyboard.
    if (feeds.contains(document.activeElement)) return;
    const only = feeds.dataset.only ? `?feed=${feeds.dataset.only}` : "";
    const list = await fragment(`/fragments/feeds${only}`).catch(() => null);
    // A list of thousands takes its time, and is worth less haste.
    feedsWaitMs = Math.max(1000, 20 * (performance.now() - askedAt));
    const scrolled = feeds.firstElementChild?.scrollTop ?? 0;
    if (list) feeds.replaceChildren(list);
    if (feeds.firstElementChild) feeds.firstElementChild.scrollTop = scrolled;
  }, feedsWaitMs);
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// --- Streams ---

const REOPEN_AFTER_MS = 5000;

// A browser mends a lost connection by itself, but gives up for good when the answer is an error:
// 502 or 503 while the gateway restarts.
function onGivenUp(stream, act) {
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(act, REOPEN_AFTER_MS);
  });
}

// --- Everything that happens, while the page is looked at ---

const ENTRY_EVENTS = ["entry.added", "entry.fetched", "entry.distilled", "entry.unavailable", "entry.undistillable", "entry.redriven"];
const FEED_EVENTS = ["feed.added", "feed.removed", "feed.polled", "feed.failed", "entry.distilled"];
let last = entries.dataset.after;
let source = null;

function listen() {
  const opened = new EventSource(`/api/v1/events?after=${last}`);
  source = opened;
  const on = (kind, act) =>
    opened.addEventListener(kind, (message) => {
      last = message.lastEventId;
      act(JSON.parse(message.data));
    });
  for (const kind of ENTRY_EVENTS) on(kind, wantCard);
  for (const kind of FEED_EVENTS) on(kind, wantFeeds);
  onGivenUp(opened, () => {
    // Somebody may have left and come back meanwhile.
    if (source !== opened) return;
    source = null;
    listenWhileVisible();
  });
}

// Browsers allow six connections to one host: tabs in the background give theirs back.
function listenWhileVisible() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (!source) {
    listen();
  }
}

document.addEventListener("visibilitychange", listenWhileVisible);
listenWhileVisible();

// --- The run that somebody waits for ---

function follow(run, after) {
  const stream = new EventSource(`/api/v1/runs/${run.dataset.run}/events?after=${after}`);
  stream.addEventListener("run.progress", (message) => {
    // Progress has no number of its own: this is that of the run's last event, if there was one.
    after = message.lastEventId || after;
    show(run, JSON.parse(message.data));
  });
  onGivenUp(stream, () => {
    if (run.isConnected) follow(run, after);
  });
  stream.addEventListener("run.finished", async () => {
    stream.close();
    wantFeeds();
    const ended = await fragment(`/fragments/runs/${run.dataset.run}`).catch(() => null);
    if (ended) run.replaceWith(ended);
  });
}

function show(run, progress) {
  run.querySelector("[data-step]").textContent = JSON.parse(run.dataset.steps)[progress.step];
  run.querySelector("[data-counts]").hidden = progress.total === 0;
  for (const count of run.querySelectorAll("[data-count]")) {
    const number = progress[count.dataset.count];
    count.textContent = number;
    const optional = count.closest("[data-optional]");
    if (optional) optional.hidden = number === 0;
  }
  if (progress.total === 0) return;
  const bar = run.querySelector("progress");
  bar.max = progress.total;
  bar.value = progress.distilled + progress.unavailable + progress.undistillable + progress.left;
}

const running = runPlace.querySelector("[data-running]");
if (running) follow(running, runPlace.dataset.after);

// Keeps the shell of the pages for when the server cannot be reached: pages, styles, scripts. Never an answer of the
// server's interface, so nothing of a session, a note or a client is ever in it. The network comes first: what is kept
// is shown only where no answer comes.

const SHELL = "sameday shell 1";
const PAGES = new Set(["/", "/today", "/backlog", "/clients", "/settings"]);

const isShell = (url) => url.origin === location.origin && !url.search && (PAGES.has(url.pathname) || url.pathname.startsWith("/static/"));

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((shell) => shell.addAll([...PAGES])).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !isShell(url)) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const shell = await caches.open(SHELL);
  try {
    const fresh = await fetch(request);
    if (fresh.ok && !fresh.redirected) await shell.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await shell.match(request);
    if (kept) return kept;
    throw error;
  }
}

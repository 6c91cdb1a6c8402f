// Keeps the gate's page and its files on the device, so that it opens without network. Nothing else is kept.
const NAME = "gate-{{ version }}";
const PAGE = "{% url 'gate' %}";
const FILES = {{ files|safe }};
const PATIENCE = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(fetched(PAGE).catch(() => {}));
});

// The page of a paired device replaces the one that is kept; that of another browser does not.
async function fetched(request) {
  const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
  if (answer.ok && answer.headers.get("X-Gate") === "paired") await (await caches.open(NAME)).put(PAGE, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) {
    const kept = () => caches.match(PAGE).then((page) => page || Response.error());
    event.respondWith(fetched(request).then((answer) => (answer.status >= 500 ? kept() : answer), kept));
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.open(NAME).then((cache) => cache.match(pathname)).then((file) => file || fetch(request)));
  }
});

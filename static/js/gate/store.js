// What the device keeps on its disk: the list, what it admitted, and the scans that the portal does not know yet.

let database;

export function open() {
  return new Promise((ready, failed) => {
    const asked = indexedDB.open("relais-gate", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("kept");
      asked.result.createObjectStore("used");
      asked.result.createObjectStore("queue", { keyPath: "scan_id" }).createIndex("counter", "offline.counter");
    };
    asked.onsuccess = () => {
      database = asked.result;
      ready();
    };
    asked.onerror = () => failed(asked.error);
  });
}

function within(stores, mode, work, durability = "relaxed") {
  return new Promise((done, failed) => {
    const transaction = database.transaction(stores, mode, { durability });
    const answer = work(transaction);
    transaction.oncomplete = () => done(answer && "result" in answer ? answer.result : answer);
    transaction.onabort = () => failed(transaction.error);
  });
}

export const get = (key) => within("kept", "readonly", (t) => t.objectStore("kept").get(key));
export const set = (key, value) => within("kept", "readwrite", (t) => t.objectStore("kept").put(value, key));

// A scan without network is on the disk, with its place in the journal, before anyone sees its verdict.
export function enqueue(scan, used) {
  const work = (t) => {
    const kept = t.objectStore("kept");
    kept.get("counter").onsuccess = ({ target }) => {
      const counter = (target.result || 0) + 1;
      kept.put(counter, "counter");
      t.objectStore("queue").put({ ...scan, offline: { ...scan.offline, counter } });
      if (used) t.objectStore("used").put(used, used.number);
    };
  };
  return within(["kept", "queue", "used"], "readwrite", work, "strict");
}

export const waiting = () => within("queue", "readonly", (t) => t.objectStore("queue").count());
export const oldest = (most) => within("queue", "readonly", (t) => t.objectStore("queue").index("counter").getAll(null, most));
export const sent = (ids) => within("queue", "readwrite", (t) => ids.forEach((id) => t.objectStore("queue").delete(id)), "strict");

export const used = () => within("used", "readonly", (t) => t.objectStore("used").getAll());
export const use = (entry) => within("used", "readwrite", (t) => t.objectStore("used").put(entry, entry.number));
export const forget = (numbers) => within("used", "readwrite", (t) => numbers.forEach((n) => t.objectStore("used").delete(n)));

// What a device that is no longer one leaves behind: nothing.
export const clear = () =>
  within(["kept", "used", "queue"], "readwrite", (t) => ["kept", "used", "queue"].forEach((name) => t.objectStore(name).clear()));

// From a code to a verdict: asked of the portal when it is there and knows all that this device did, else judged here.

import { judge } from "./judge.js";
import { List } from "./list.js";
import { ask, Away, Refused } from "./portal.js";
import { signal } from "./signals.js";
import * as store from "./store.js";
import { read } from "./verify.js";

const TYPED_TWICE = 2500;
const KNOCK = 5000; // how often to look whether the portal is back
const LOOK = 15000; // and, when it is there, what is new
const BATCH = 500;
const CHANGES_AT_MOST = 200;
const LOOKS = { "": "enter", replaced: "replaced" };

export class Scanner {
  constructor(page, config) {
    Object.assign(this, { page, config, list: null, used: new Map(), offlineSince: 0, ahead: 0, stuck: "", waiting: 0, onVerdict() {}, onReady() {} });
    this.turn = Promise.resolve();
    this.typed = { code: "", at: 0 };
  }

  async begin() {
    if ((await store.get("device")) !== this.config.device) {
      // Another device was here: its scans still leave, its list is not ours.
      await store.set("list", null);
      await store.forget((await store.used()).map((entry) => entry.number));
      await store.set("device", this.config.device);
    }
    for (const entry of await store.used()) this.used.set(entry.number, entry);
    this.ahead = (await store.get("ahead")) || 0;
    const kept = await store.get("list");
    if (kept) this.list = new List(kept.manifest, kept.changes);
    this.listAt = kept ? kept.at : 0;
    this.waiting = await store.waiting();
    this.offlineSince = (await store.get("offline")) || 0;
    window.addEventListener("online", () => this.meet());
    window.addEventListener("offline", () => this.away());
    if (!navigator.onLine) this.away();
    this.describe();
    this.tick();
  }

  // The portal's time, as far as this device knows it.
  now() {
    return Date.now() + this.ahead;
  }

  describe() {
    const clock = Math.abs(this.ahead) > 30_000;
    const { offlineSince, waiting, listAt, stuck } = this;
    this.page.network({ offlineSince, waiting, listAt, clock, stuck });
  }

  away() {
    if (!this.offlineSince) {
      this.offlineSince = this.now();
      store.set("offline", this.offlineSince);
    }
    this.describe();
  }

  async tick() {
    await this.meet();
    setTimeout(() => this.tick(), this.offlineSince || this.waiting ? KNOCK : LOOK);
  }

  // Tell the portal what it does not know, then learn what is new: in this order, and one at a time.
  async meet() {
    if (this.meeting) return this.meeting;
    this.meeting = (async () => {
      try {
        await this.look();
        await this.tell();
        await this.learn();
        if (this.offlineSince) {
          this.offlineSince = 0;
          await store.set("offline", 0);
        }
      } catch (error) {
        this.failed(error);
      } finally {
        this.meeting = null;
        this.describe();
      }
    })();
    return this.meeting;
  }

  failed(error) {
    if (error instanceof Away) this.away();
    else if (error instanceof Refused) this.stuck = error.message;
    else throw error;
  }

  async look() {
    const asked = Date.now();
    const found = await ask(this.config.api, "events", undefined, 10_000); // nobody waits for this one
    this.ahead = Date.parse(found.now) - (asked + Date.now()) / 2;
    await store.set("ahead", this.ahead);
    this.stuck = "";
    this.page.figures(found.events[0], found.gate);
    this.page.main.querySelectorAll("[data-conflicts]").forEach((link) => {
      link.textContent = this.page.say(found.conflicts === 1 ? "conflict_one" : "conflicts", { n: this.page.number(found.conflicts) });
    });
  }

  async tell() {
    for (let scans = await store.oldest(BATCH); scans.length; scans = await store.oldest(BATCH)) {
      const sent_at = new Date().toISOString();
      const answer = await ask(this.config.api, "scans/batch", { sent_at, scans }, 30_000);
      await store.sent(answer.scans.map((scan) => scan.scan_id));
      this.waiting = await store.waiting();
      this.describe();
    }
  }

  // The list, or what has changed; what this device admitted before is in it from now on.
  async learn() {
    if (!this.config.may.includes("scan")) return;
    const told = this.waiting ? [] : [...this.used.keys()];
    const since = this.list && this.list.changes.length < CHANGES_AT_MOST ? this.list.manifest.cursor : 0;
    const manifest = await ask(this.config.api, `manifest?since=${since}`, undefined, 30_000);
    if (manifest.whole) this.list = new List(manifest);
    else this.list.apply(manifest);
    this.listAt = Date.parse(manifest.made_at);
    const first = manifest.whole ? manifest : { ...this.list.manifest };
    await store.set("list", { manifest: first, changes: this.list.changes, at: this.listAt });
    await store.forget(told);
    for (const number of told) this.used.delete(number);
  }

  // One code after the other, in the order in which they were read.
  scan(code, { typed = false } = {}) {
    const at = performance.now();
    if (typed) {
      const again = code === this.typed.code && at - this.typed.at < TYPED_TWICE;
      this.typed = { code, at };
      if (again) return this.turn;
    }
    this.turn = this.turn.then(() => this.read(code)).catch((error) => this.broken(error));
    return this.turn;
  }

  async read(code) {
    const scan_id = crypto.randomUUID();
    if (!this.offlineSince && !this.waiting) {
      try {
        const scan = await ask(this.config.api, "scans", { scan_id, code });
        if (scan.verdict === "admitted") await this.note({ number: scan.ticket, generation: scan.copy_number - 1, at: this.now() });
        return this.told(scan);
      } catch (error) {
        if (error instanceof Refused) return this.verdict("used", this.page.say("not_now"), "", error.message);
        if (!(error instanceof Away)) throw error;
        this.away();
      }
    }
    return this.readAlone(code, scan_id);
  }

  async note(entry) {
    this.used.set(entry.number, entry);
    await store.use(entry);
  }

  told(scan) {
    const copy = scan.ticket ? this.page.say("ticket", { number: scan.ticket, copy: scan.copy_number }) : "";
    this.verdict(LOOKS[scan.reason] || "used", scan.title, scan.beneficiary, scan.sentence, copy);
    this.last = scan;
    this.onScan?.(scan);
  }

  async readAlone(code, scan_id) {
    const claim = this.list ? await read(code, this.list.keys) : null;
    const found = judge({ claim, list: this.list, used: this.used, at: this.now() });
    const offline = { said: found.verdict, at: new Date().toISOString(), ...(found.reason && { reason: found.reason }) };
    const used = found.verdict === "admitted" ? { number: found.number, generation: found.generation, at: this.now() } : null;
    await store.enqueue({ scan_id, code: code.trim().slice(0, 400), offline }, used);
    if (used) this.used.set(used.number, used);
    this.waiting += 1;
    this.alone(found);
    this.describe();
    if (!this.offlineSince) this.meet();
  }

  alone(found) {
    const { page } = this;
    this.last = null;
    this.onScan?.(null);
    const copy = found.number ? page.say("ticket", { number: found.number, copy: found.generation + 1 }) : "";
    if (found.verdict === "admitted") {
      this.verdict("offline", page.say("title_offline"), "", found.category, page.say("offline_admitted"), page.say("offline_compared"), copy);
      return;
    }
    const values = { when: found.since && page.hour(found.since), list: this.listAt && page.hour(this.listAt), entrance: found.entrance, gate: this.config.gate };
    const name = found.why || (found.since ? "already_checked_here" : found.reason);
    this.verdict(LOOKS[found.reason] || "used", page.say(`title_${found.reason}`), "", page.say(`offline_${name}`, values), copy);
  }

  verdict(look, ...words) {
    this.page.show(look, ...words);
    signal(look);
    this.onVerdict(look);
  }

  // The disk is full or was taken away: what cannot be kept is not admitted.
  broken(error) {
    console.error(error);
    this.verdict("used", this.page.say("not_kept"), "", this.page.say("not_kept_why"));
  }

  ready() {
    this.page.show("", this.page.say("ready"), "", this.page.say("ready_why"));
    this.onVerdict("enter");
    this.onScan?.(null);
    this.onReady();
  }
}

// Beside scanning: the rest of a group, a check taken back, and the end of the gate.

import { ask } from "./portal.js";
import * as store from "./store.js";

export class Desk {
  constructor(page, config, scanner) {
    Object.assign(this, { page, config, scanner });
    this.part = (name) => page.main.querySelector(`[data-${name}]`);
  }

  attach() {
    const group = this.part("group");
    const undo = this.part("undo");
    this.scanner.onScan = (scan) => {
      const admitted = scan && scan.verdict === "admitted";
      group.hidden = !(admitted && scan.group);
      undo.hidden = !(admitted && this.config.may.includes("manage"));
      if (admitted) group.textContent = this.page.say(scan.group === 1 ? "group_one" : "group", { n: scan.group, name: scan.beneficiary });
    };
    group.addEventListener("click", () => this.admitGroup());
    undo.addEventListener("click", () => this.takeBack());
    this.part("leave").addEventListener("submit", (event) => this.leave(event));
  }

  async act(path) {
    try {
      return await ask(this.config.api, `scans/${this.scanner.last.scan_id}/${path}`, {}, 10_000);
    } catch (error) {
      this.scanner.verdict("used", this.page.say("not_now"), "", error.message || this.page.say("needs_network"));
      return null;
    }
  }

  async admitGroup() {
    const { last } = this.scanner;
    const answer = await this.act("group");
    if (!answer) return;
    const admitted = answer.scans.filter((scan) => scan.verdict === "admitted").length;
    const refused = answer.scans.find((scan) => scan.verdict === "refused");
    this.part("group").hidden = true;
    this.scanner.verdict(refused ? "used" : "enter", last.title, last.beneficiary, this.page.say("group_in", { n: admitted }), refused?.sentence);
  }

  async takeBack() {
    const answer = await this.act("undo");
    if (!answer) return;
    this.part("undo").hidden = true;
    this.part("group").hidden = true;
    this.scanner.used.delete(answer.ticket);
    await store.forget([answer.ticket]);
    this.scanner.verdict("used", answer.title, "", answer.sentence);
  }

  // Not before every scan has left: the next device would not know them.
  async leave(event) {
    event.preventDefault();
    if (await store.waiting()) {
      this.page.show("used", this.page.say("not_yet"), "", this.page.say("not_yet_why"));
      return;
    }
    await store.clear();
    sessionStorage.removeItem("gate-started");
    for (const name of await caches.keys()) await caches.delete(name);
    event.target.submit();
  }
}

// What the page shows: the verdict as large as the screen, and how things stand with the network.

const bound = (text) => text.replace(/ (?=[:;!?»%])/g, "\u00a0");

// The endings of French ordinals raised, as the server's pages do: 14e, 1re.
function raised(text) {
  const parts = text.split(/\b(\d+)(er|re|es|e)\b/); // what is between, a number, its ending, again and again
  return parts.map((part, n) => (n % 3 === 2 ? Object.assign(document.createElement("sup"), { textContent: part }) : part));
}

export class Page {
  constructor(main, config, words) {
    Object.assign(this, { main, config, words });
    this.verdict = main.querySelector("[data-verdict]");
    this.link = main.querySelector("[data-link]");
    this.shapes = main.querySelector("[data-shapes]").content;
  }

  say(name, values = {}) {
    return bound(this.words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? ""));
  }

  hour(instant) {
    const parts = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: this.config.zone })
      .formatToParts(new Date(instant));
    const [hour, minute] = ["hour", "minute"].map((type) => parts.find((part) => part.type === type).value);
    if (this.config.language === "fr") return `${Number(hour)}\u00a0h${minute === "00" ? "" : `\u00a0${minute}`}`;
    return `${(Number(hour) + 11) % 12 + 1}:${minute}\u00a0${Number(hour) < 12 ? "am" : "pm"}`;
  }

  number(value) {
    return new Intl.NumberFormat(this.config.language).format(value);
  }

  // look: enter, used, replaced, offline, or "" when ready; lines: title, then name, then sentences.
  show(look, title, name, ...sentences) {
    this.main.className = `gate ${look}`;
    this.main.querySelector("[data-ribbon]").hidden = look !== "offline";
    const nodes = look ? [this.shapes.querySelector(`[data-look=${look}]`).firstElementChild.cloneNode(true)] : [];
    const line = (tag, text, kind) => Object.assign(document.createElement(tag), { textContent: text, className: kind || "" });
    nodes.push(line("h1", title));
    if (name) nodes.push(line("p", name, "name"));
    for (const text of sentences.filter(Boolean)) {
      const said = line("p", "");
      said.append(...raised(bound(text)));
      nodes.push(said);
    }
    this.verdict.replaceChildren(...nodes);
    window.scrollTo(0, 0); // the verdict and not the field that was typed into
    const button = this.main.querySelector("[data-next]");
    button.textContent = look ? this.say("next") : this.say("check");
  }

  network({ offlineSince, waiting, listAt, clock, stuck }) {
    const parts = [];
    if (offlineSince) parts.push(this.say("offline_since", { when: this.hour(offlineSince) }));
    if (waiting) parts.push(this.say(waiting === 1 ? "waiting_one" : "waiting", { n: this.number(waiting) }));
    if (offlineSince) parts.push(listAt ? this.say("list_of", { when: this.hour(listAt) }) : this.say("no_list"));
    if (clock) parts.push(this.say("clock"));
    if (stuck) parts.push(stuck);
    this.link.hidden = !parts.length;
    this.link.textContent = parts.join(" · ");
    this.link.classList.toggle("alarm", Boolean(stuck) || (Boolean(offlineSince) && (!listAt || Date.now() - listAt > 300_000)));
  }

  figures({ admitted, expected, gates }, gate) {
    const here = gates.find((found) => found.name === gate);
    const say = (name, figure) => this.say(name, { n: this.number(figure.admitted), all: this.number(figure.expected) });
    const texts = [say("inside", { admitted, expected })];
    if (here && gates.length > 1) texts.push(say("by_gate", here));
    this.main.querySelector("[data-figures]").textContent = texts.join("\n");
  }
}

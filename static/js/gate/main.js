// The scanner: what is read is asked of the portal or, without network, judged here; nothing judged here is ever lost.

import { Camera } from "./camera.js";
import { Desk } from "./desk.js";
import * as store from "./store.js";
import { Page } from "./show.js";
import { Scanner } from "./scanner.js";
import { wake } from "./signals.js";

const main = document.querySelector("[data-gate]");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const config = read("gate-config");
const page = new Page(main, config, read("gate-words"));
const part = (name) => main.querySelector(`[data-${name}]`);

async function begin() {
  await store.open();
  const scanner = new Scanner(page, config);
  await scanner.begin();
  const camera = withCamera(scanner);
  withField(scanner, camera);
  new Desk(page, config, scanner).attach();
  keepPage();
  main.dataset.gate = "ready"; // for whoever waits for the page
}

function withCamera(scanner) {
  const start = part("start");
  const view = part("view");
  const camera = new Camera({
    video: part("video"), torch: part("torch"), choice: part("cameras"), decoder: config.decoder, onCode: (code) => scanner.scan(code),
  });
  const open = async () => {
    wake();
    try {
      await camera.start();
      start.hidden = true;
      view.hidden = false;
      sessionStorage.setItem("gate-started", "1");
    } catch {
      page.show("", page.say("no_camera"), "", page.say("no_camera_why"));
    }
  };
  if (navigator.mediaDevices?.getUserMedia) {
    start.hidden = false;
    start.addEventListener("click", open);
    if (sessionStorage.getItem("gate-started")) open();
  }
  scanner.onVerdict = (look) => {
    camera.paused = !["enter", "offline"].includes(look);
    main.classList.toggle("halted", camera.paused);
  };
  scanner.onReady = () => camera.resume();
  document.addEventListener("pointerdown", wake);
  return camera;
}

// Scanners that type: their keys go to the field wherever the focus is, and Enter ends the code.
function withField(scanner) {
  const form = part("code");
  const field = form.querySelector("input[name=code]");
  if (matchMedia("(pointer: coarse)").matches) field.blur(); // no keyboard over the camera's picture
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = field.value;
    field.value = "";
    wake();
    if (code.trim()) scanner.scan(code, { typed: true });
    else scanner.ready();
  });
  document.addEventListener("keydown", (event) => {
    const elsewhere = !event.target.closest("input, select, button, a");
    if (elsewhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey) field.focus({ preventScroll: true });
  });
}

// The page and its files stay on the device, for a reload without network.
async function keepPage() {
  if (!navigator.serviceWorker) return;
  navigator.storage?.persist?.();
  await navigator.serviceWorker.register(config.service, { scope: config.page });
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage("keep");
}

// One page of this device at a time: two would not know what the other admitted.
if (navigator.locks) {
  navigator.locks.request("relais-gate", { ifAvailable: true }, (lock) => {
    if (!lock) page.show("", page.say("elsewhere"), "", page.say("elsewhere_why"));
    return lock && begin().then(() => new Promise(() => {}));
  }).then(() => navigator.locks.request("relais-gate", () => location.reload()));
} else {
  begin();
}

// The camera: one frame at a time to the worker that decodes; the same code is ignored while it stays in view.

const STAYS = 5000;

export class Camera {
  constructor({ video, torch, choice, decoder, onCode }) {
    Object.assign(this, { video, torch, choice, onCode });
    this.worker = new Worker(decoder, { type: "module" });
    this.worker.onmessage = ({ data }) => this.decoded(data);
    this.paused = false;
    this.last = { code: "", at: 0 };
    torch.addEventListener("click", () => this.light(torch.getAttribute("aria-pressed") !== "true"));
    choice.addEventListener("change", () => this.start(choice.value));
    document.addEventListener("visibilitychange", () => {
      if (!this.wanted) return;
      if (document.visibilityState === "visible") this.start(this.device);
      else this.stop();
    });
  }

  // Rejects when there is no camera or the person says no.
  async start(device = localStorage.getItem("gate-camera") || "") {
    this.stop();
    this.wanted = true;
    const which = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
    const ask = (video) => navigator.mediaDevices.getUserMedia({ audio: false, video: { ...video, width: { ideal: 1280 }, height: { ideal: 720 } } });
    try {
      this.stream = await ask(which);
    } catch (error) {
      if (!device) throw error;
      this.stream = await ask({ facingMode: { ideal: "environment" } }); // the one remembered is not there today
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    await this.describe();
    this.next();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  async describe() {
    const [track] = this.stream.getVideoTracks();
    this.device = track.getSettings?.().deviceId || "";
    if (this.device) localStorage.setItem("gate-camera", this.device);
    this.torch.hidden = !track.getCapabilities?.().torch;
    this.torch.setAttribute("aria-pressed", "false");
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((found) => found.kind === "videoinput");
    this.choice.replaceChildren(...cameras.map((found, n) => new Option(found.label || `${n + 1}`, found.deviceId, false, found.deviceId === this.device)));
    this.choice.closest("[data-choice]").hidden = cameras.length < 2;
  }

  async light(on) {
    await this.stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] }).catch(() => {});
    this.torch.setAttribute("aria-pressed", String(on));
  }

  next() {
    if (!this.stream || this.busy) return;
    const send = async () => {
      if (!this.stream) return;
      if (this.paused || this.video.readyState < 2) {
        setTimeout(() => this.next(), 100);
        return;
      }
      this.busy = true;
      try {
        const frame = await createImageBitmap(this.video);
        this.worker.postMessage(frame, [frame]);
      } catch {
        this.busy = false;
        setTimeout(() => this.next(), 100);
      }
    };
    if (this.video.requestVideoFrameCallback && !this.paused) this.video.requestVideoFrameCallback(send);
    else setTimeout(send, 60);
  }

  decoded(code) {
    this.busy = false;
    const at = performance.now();
    if (code && !this.paused) {
      const again = code === this.last.code && at - this.last.at < STAYS;
      this.last = { code, at };
      if (!again) this.onCode(code);
    }
    this.next();
  }

  // After a refusal the person holds the same ticket still: it counts as seen until it has left.
  resume() {
    this.last.at = performance.now();
    this.paused = false;
  }
}

// What is heard, felt and kept awake: a sound and a vibration of its own for each verdict, made here, no file.

const SOUNDS = {
  enter: [[660, 0, 0.12], [990, 0.12, 0.22]],
  offline: [[660, 0, 0.12], [660, 0.18, 0.2]],
  used: [[150, 0, 0.25], [110, 0.3, 0.4]],
  replaced: [[440, 0, 0.12], [330, 0.16, 0.12], [440, 0.32, 0.12], [330, 0.48, 0.2]],
};
const BUZZES = { enter: [60], offline: [60, 60, 60], used: [400], replaced: [150, 80, 150, 80, 150] };
let audio = null;
let lock = null;

// In answer to a touch: browsers are silent until then.
export function wake() {
  audio ||= window.AudioContext ? new AudioContext() : null;
  audio?.resume();
  keepAwake();
}

export function signal(look) {
  navigator.vibrate?.(BUZZES[look]);
  if (!audio || audio.state !== "running") return;
  for (const [pitch, after, length] of SOUNDS[look]) {
    const voice = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + after;
    voice.type = look === "used" ? "square" : "sine";
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0.3, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + length);
    voice.connect(volume).connect(audio.destination);
    voice.start(at);
    voice.stop(at + length);
  }
}

async function keepAwake() {
  try {
    lock ||= await navigator.wakeLock?.request("screen");
    lock?.addEventListener("release", () => { lock = null; });
  } catch {
    lock = null; // a low battery refuses: the screen sleeps as usual
  }
}

document.addEventListener("visibilitychange", () => {
  if (audio && document.visibilityState === "visible") keepAwake();
});

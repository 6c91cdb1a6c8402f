// What a code says, its Ed25519 signature verified here: by the browser where it can, else by the vendored library.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const SIGNED = 15;
const LENGTH = 79;
const VERSION = 1;

function base45(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((letter) => ALPHABET.indexOf(letter));
    if (digits.includes(-1) || digits.length === 1) return null;
    const value = digits[0] + digits[1] * 45 + (digits[2] ?? 0) * 2025;
    if (value > (digits.length === 3 ? 0xffff : 0xff)) return null;
    if (digits.length === 3) bytes.push(value >> 8);
    bytes.push(value & 255);
  }
  return new Uint8Array(bytes);
}

const whole = (bytes) => bytes.reduce((value, byte) => value * 256 + byte, 0);

// {event, number, generation} of an authentic code, null of any other. `keys`: raw public keys by id.
export async function read(code, keys) {
  const raw = base45(code.trim().toUpperCase());
  if (!raw || raw.length !== LENGTH || raw[0] !== VERSION) return null;
  const body = raw.slice(0, SIGNED);
  const key = keys.get(whole(body.slice(1, 3)));
  if (!key || !(await verified(raw.slice(SIGNED), body, key))) return null;
  return { event: whole(body.slice(3, 7)), number: whole(body.slice(7, 13)), generation: whole(body.slice(13, 15)) };
}

let imported = new Map();
let library = null;

async function verified(signature, body, key) {
  const name = key.join();
  if (!library) {
    try {
      if (!imported.has(name)) imported.set(name, await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]));
      return await crypto.subtle.verify("Ed25519", imported.get(name), signature, body);
    } catch {
      library = await import("../../vendor/ed25519/index.js");
    }
  }
  try {
    return await library.verifyAsync(signature, body, key, { zip215: false });
  } catch {
    return false;
  }
}

// The event's list: of each ticket its generation and whether it may come in. Whole once, then what has changed.

const STATES = ["waiting", "admissible", "checked", "cancelled"];

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
  return bytes;
}

// Unsigned LEB128: seven bits a byte, the low ones first. Ticket numbers pass 32 bits, so no shifts.
function unpacked(text, into) {
  const bytes = bytesOf(text);
  let value = 0;
  let weight = 1;
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    value += (bytes[at] & 127) * weight;
    if (bytes[at] > 127) {
      weight *= 128;
    } else {
      into[count] = value;
      count += 1;
      value = 0;
      weight = 1;
    }
  }
  return into;
}

function partOf({ category, entrance, count, numbers, states }) {
  const found = { category, entrance, numbers: unpacked(numbers, new Float64Array(count)), states: unpacked(states, new Float64Array(count)) };
  for (let at = 1; at < count; at += 1) found.numbers[at] += found.numbers[at - 1];
  return found;
}

function indexOf(numbers, number) {
  let low = 0;
  let high = numbers.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] === number) return middle;
    if (numbers[middle] < number) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

export class List {
  constructor(manifest, changes = []) {
    this.manifest = manifest;
    this.parts = manifest.parts.map(partOf);
    this.keys = new Map(manifest.keys.map((key) => [key.id, bytesOf(key.public_key)]));
    this.changes = [];
    for (const change of changes) this.apply(change);
  }

  // What has changed since: later words win.
  apply(manifest) {
    const parts = manifest.parts.map(partOf);
    this.manifest = { ...this.manifest, ...manifest, parts: this.manifest.parts, whole: true };
    this.keys = new Map(manifest.keys.map((key) => [key.id, bytesOf(key.public_key)]));
    if (parts.length) {
      this.parts = [...parts, ...this.parts];
      this.changes.push(manifest);
    }
  }

  // {state, generation, category, entrance} of a ticket, null when the list does not have it.
  find(number) {
    for (const part of this.parts) {
      const at = indexOf(part.numbers, number);
      if (at >= 0) {
        const packed = part.states[at];
        return { state: STATES[packed % 4], generation: Math.floor(packed / 4), category: part.category, entrance: part.entrance };
      }
    }
    return null;
  }
}

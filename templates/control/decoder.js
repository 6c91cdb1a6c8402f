// The worker that reads codes in frames. Its response alone may compile WebAssembly: the page that starts it may not.
import { prepareZXingModule, readBarcodes } from "{% static 'vendor/zxing/reader/index.js' %}";
import decodeQR from "{% static 'vendor/qr/decode.js' %}";

prepareZXingModule({ overrides: { locateFile: () => "{% static 'vendor/zxing/reader/zxing_reader.wasm' %}" } });
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });
let compiled = true;
let misses = 0;

// The second reader finds codes on crumpled paper that the first does not; every fourth frame without a hit is its own.
function again(image) {
  misses += 1;
  if (compiled && misses % 4) return "";
  try {
    return decodeQR(image);
  } catch {
    return "";
  }
}

onmessage = async ({ data: frame }) => {
  canvas.width = frame.width;
  canvas.height = frame.height;
  context.drawImage(frame, 0, 0);
  frame.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  if (compiled) {
    try {
      const [hit] = await readBarcodes(image, { formats: ["QRCode"], maxNumberOfSymbols: 1 });
      text = hit ? hit.text : "";
    } catch {
      compiled = false; // no WebAssembly here: the second reader does it all
    }
  }
  postMessage(text || again(image));
};

/** The size of an image by its first bytes, so that one too large is refused before it is decoded. */
import { hasSign } from './fileKind.ts';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Of PNG, JPEG, GIF, WebP, BMP, AVIF and HEIC; undefined for any other file, and for one that ends too early. */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (hasSign(bytes, '\x89PNG\r\n\x1a\n')) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (hasSign(bytes, 'GIF8')) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (hasSign(bytes, '\xff\xd8')) return jpegSize(view);
    if (hasSign(bytes, 'RIFF') && hasSign(bytes, 'WEBP', 8)) return webpSize(bytes, view);
    if (hasSign(bytes, 'BM')) return bmpSize(view);
    if (hasSign(bytes, 'ftyp', 4)) return isoSize(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** ITU-T T.81, annex B: segments one after the other up to the frame header, SOF0 to SOF15 without DHT, JPG and DAC. */
function jpegSize(view: DataView): ImageSize | undefined {
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    } else at += 2 + view.getUint16(at + 2);
  }
}

/** RFC 9649, section 2: the first chunk is VP8 (lossy), VP8L (lossless) or VP8X (extended). */
function webpSize(bytes: Uint8Array, view: DataView): ImageSize | undefined {
  if (hasSign(bytes, 'VP8X', 12)) {
    return { width: 1 + (view.getUint32(23, true) >>> 8), height: 1 + (view.getUint32(26, true) >>> 8) };
  }
  if (hasSign(bytes, 'VP8L', 12)) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (!hasSign(bytes, 'VP8 ', 12)) return undefined;
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function bmpSize(view: DataView): ImageSize {
  // The oldest header, of 12 bytes, has 16 bits for each; a height below 0 says that the top row comes first.
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
}

/** AVIF and HEIC (ISO/IEC 23008-12, 6.5.3): the largest `ispe` property, as a thumbnail and tiles have one too. */
function isoSize(bytes: Uint8Array, view: DataView): ImageSize | undefined {
  let largest: ImageSize | undefined;
  for (let at = 8; at + 16 <= Math.min(bytes.length, 65_536); at++) {
    if (!hasSign(bytes, 'ispe', at)) continue;
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size;
  }
  return largest;
}

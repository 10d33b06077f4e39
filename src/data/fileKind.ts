/** Tells what a file is by its first bytes, where these are sure signs. */

/** In Latin letters, as the bytes read. */
const SIGNS: readonly (readonly [sign: string, at: number, kind: string])[] = [
  ['\x89PNG\r\n\x1a\n', 0, 'a PNG image'],
  ['\xff\xd8\xff', 0, 'a JPEG image'],
  ['GIF87a', 0, 'a GIF image'],
  ['GIF89a', 0, 'a GIF image'],
  ['WEBP', 8, 'a WebP image'],
  ['ftypavif', 4, 'an AVIF image'],
  ['PK\x03\x04', 0, 'a zip archive, as spreadsheets (.xlsx, .ods) are too'],
  ['\x1f\x8b', 0, 'a gzip archive'],
  ['7z\xbc\xaf', 0, 'a 7z archive'],
  ['%PDF-', 0, 'a PDF document'],
  ['PAR1', 0, 'a Parquet table'],
  ['SQLite format 3', 0, 'an SQLite database'],
  ['\xd0\xcf\x11\xe0', 0, 'an old Office document (.xls, .doc)'],
];

/** Such as "a PNG image"; undefined when no sign is known. */
export function fileKind(head: Uint8Array): string | undefined {
  return SIGNS.find(([sign, at]) => hasSign(head, sign, at))?.[2];
}

export function hasSign(bytes: Uint8Array, sign: string, at = 0): boolean {
  for (let i = 0; i < sign.length; i++) if (bytes[at + i] !== sign.charCodeAt(i)) return false;
  return true;
}

/** The files of a coordinator's tab, taken over in pieces, so that its page goes on meanwhile. */
import type { Page } from 'playwright';
import { concatBytes, fromBase64Url } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import type { LargeFile, ScriptFiles, Scripting } from '../../src/main/scripting.ts';

export interface TabFiles extends Omit<ScriptFiles, 'sizesBytes'> {
  readonly weights: Bytes;
  readonly safetensors: Bytes;
}

interface Here {
  hushgrad: Scripting;
}

/** Of the federation that the page coordinates. */
export async function filesOf(page: Page): Promise<TabFiles> {
  const { sizesBytes, ...texts } = await page.evaluate(() => (globalThis as unknown as Here).hushgrad.files());
  return {
    ...texts,
    weights: await whole(page, 'weights', sizesBytes.weights),
    safetensors: await whole(page, 'safetensors', sizesBytes.safetensors),
  };
}

async function whole(page: Page, file: LargeFile, sizeBytes: number): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for (let from = 0; from < sizeBytes; from += pieces.at(-1)?.length ?? 0) {
    const piece = await page.evaluate(([name, at]) => (globalThis as unknown as Here).hushgrad.piece(name, at), [
      file,
      from,
    ] as const);
    if (piece === '') throw new RangeError(`"${file}" ends at byte ${from}, expected ${sizeBytes} bytes.`);
    pieces.push(fromBase64Url(piece));
  }
  return concatBytes(...pieces);
}

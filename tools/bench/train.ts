/** `npm run bench -- train`: how fast each engine trains each of a few models, beside stock tfjs. */
import { fromCaller } from '../command.ts';
import { openBenchPage } from './train/browser.ts';
import { bundleForNode } from './train/bundle.ts';
import { readTrainOptions, TRAIN_OPTIONS_HELP } from './train/options.ts';
import { rowsOf, tableText } from './train/report.ts';
import type { Row } from './train/report.ts';

const HELP = `npm run bench -- train [--models A,B] [--engines A,B] [--batch N] [--seconds S] [--rounds K] [--json]
npm run bench -- train --bundle FILE

Trains models on noise with each engine, in a worker of a page that is isolated from other origins, in headless Chromium,
and compares with stock tfjs: the same model in tfjs's own operations, trained by optimizer.minimize. On two cores without
a graphics card the mlp takes two minutes, lenet and gpt three, and the cnn five, most of it on WebGPU in software and up to
one for the memory: name the models to have some of them sooner.

A row tells samples a second (the median of all turns, the least and the most), how many times that of stock tfjs on the same
technology, dispatches and milliseconds of JavaScript a step (WebGPU engines), the milliseconds of the warm-up, of the first step
after it (read-back included) and of a step among many, and memory.

${TRAIN_OPTIONS_HELP}
  --gpu          uses the machine's own graphics card; SwiftShader, which is one in software, unless given
  --bundle FILE  writes the bench as one file for Node instead, for a machine with a graphics card and nothing else; that
                 file takes the same options, and a path to the npm package webgpu's dawn.node in --dawn or DAWN`;

export async function run(args: string[]): Promise<number> {
  const options = readTrainOptions(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.bundle !== undefined) {
    const path = fromCaller(options.bundle);
    await bundleForNode(path);
    console.log(`Wrote ${path}. Run it with node; --help shows its options.`);
    return 0;
  }
  const browser = await openBenchPage(options);
  try {
    const rows: Row[] = [];
    for (const order of options.orders) {
      const measured = rowsOf(await browser.call('measure', order), options.peakTflops);
      rows.push(...measured);
      if (!options.json) console.log(tableText(measured));
    }
    if (options.json) console.log(JSON.stringify({ where: 'chromium', gpu: options.gpu, rows }));
    return rows.some(({ samplesPerSecond }) => samplesPerSecond !== null) ? 0 : 1;
  } finally {
    await browser.close();
  }
}

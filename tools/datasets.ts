/** Every public data set that the server serves. */
import { buildDigits } from './build-digits.ts';
import { buildClients } from './datasets/clientFiles.ts';
import { penguins } from './datasets/penguins.ts';
import { sensors } from './datasets/sensors.ts';
import { stateOfTheUnion } from './datasets/stateOfTheUnion.ts';

/** Writes into `outDir` what is not there yet. */
export async function buildDatasets(outDir: string): Promise<void> {
  await buildDigits(outDir);
  for (const builder of [penguins, sensors, stateOfTheUnion]) await buildClients(builder, outDir);
}

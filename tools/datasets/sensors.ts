/** Readings of four motes (datasets/sensors), each with how far it is from those before. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SENSORS } from '../../src/data/registry.ts';
import { ROOT } from '../command.ts';
import type { ClientBuilder, ClientContent } from './clientFiles.ts';
import { tableOf } from './tables.ts';
import type { Row } from './tables.ts';

const TEST_FRACTION = 0.25;

const MOTES = [1, 2, 3, 4];

/** A reading every 5 s: 20 minutes. */
const BEFORE = 240;

export const sensors: ClientBuilder = {
  dataset: SENSORS,
  sha256: '854916fe80eaad9f4977569c068613a53d308032d7f4ecc0b35007c9cea6ef4b',
  clients: () => Promise.all(MOTES.map(moteOf)),
};

async function moteOf(mote: number): Promise<ClientContent> {
  const text = await readFile(join(ROOT, 'datasets', 'sensors', `mote-${mote}.csv`), 'utf8');
  const cells = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const humidity = cells.map((row) => Number(row[1]));
  const temperature = cells.map((row) => Number(row[2]));
  const rows = cells.map(([reading = '', , , label], i): Row => ({
    reading,
    humidity: humidity[i] ?? 0,
    'humidity deviation': deviation(humidity, i),
    temperature: temperature[i] ?? 0,
    'temperature deviation': deviation(temperature, i),
    label: label === '1' ? 'anomaly' : 'normal',
  }));
  return tableOf(`Mote ${mote}`, rows, 'label', TEST_FRACTION);
}

/**
 * From the mean of the 20 minutes before, of which a mote's first readings have less. An event shows in what changed: the
 * humidity that it brings to one mote is usual at another.
 */
function deviation(values: readonly number[], at: number): number {
  const before = values.slice(Math.max(0, at - BEFORE), at);
  if (before.length === 0) return 0;
  return hundredths((values[at] ?? 0) - before.reduce((sum, value) => sum + value, 0) / before.length);
}

/** As the readings themselves are given. */
function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

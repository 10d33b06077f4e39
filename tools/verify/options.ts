/** The options of `npm run verify`. */
import { parseArgs } from 'node:util';
import { HushError } from '../../src/core/errors.ts';
import type { FederationId, PublicKey } from '../../src/core/ids.ts';
import { fromCaller } from '../command.ts';
import type { Pins } from './verifyRun.ts';

export const VERIFY_HELP = `npm run verify -- DIR [--key HEX] [--federation HEX] [--json]

Verifies a run from the files in DIR alone, as npm run federate writes them: plan.json, ledger.jsonl, metrics.jsonl,
model.json and weights.bin, and where they are there model.safetensors, model-card.md and metrics.csv. Every hash and
signature is computed anew, from the empty ledger and the model that the plan's seed gives, or the one whose hash is the
plan's start. The exit code is 0 only when everything holds. docs/check-it-yourself.md tells what that proves.

  --key HEX         the coordinator's key, 64 hexadecimal digits, as the Join screen shows it
  --federation HEX  the federation, 32 hexadecimal digits, from the same place
  --json            the last line is one JSON object
  --help            shows this

Without --key and --federation both are taken from the ledger: then whoever wrote the files chose them.`;

export interface VerifyOptions {
  readonly help: boolean;
  readonly folder: string;
  readonly pins: Pins;
  readonly json: boolean;
}

/** @throws HushError `command/…`, naming the option, its value and what was expected. */
export function readVerifyOptions(args: string[]): VerifyOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      federation: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const help = values.help ?? false;
  if (!help && positionals.length !== 1) {
    throw new HushError('command/folder', `${positionals.length} folders are given, expected one, such as out.`);
  }
  return {
    help,
    folder: fromCaller(positionals[0] ?? ''),
    pins: {
      key: hex<PublicKey>('--key', values.key, 64),
      federation: hex<FederationId>('--federation', values.federation, 32),
    },
    json: values.json ?? false,
  };
}

/** Spaces are let pass: the Join screen shows the digits in groups of four. */
function hex<Text extends string>(option: string, value: string | undefined, digits: number): Text | undefined {
  if (value === undefined) return undefined;
  const joined = value.replaceAll(' ', '').toLowerCase();
  if (joined.length === digits && /^[0-9a-f]*$/.test(joined)) return joined as Text;
  throw new HushError('command/hex', `"${option}" is "${value}", expected ${digits} hexadecimal digits.`);
}

/** Numbers as they are typed. */
import { HushError } from '../src/core/errors.ts';

/** @throws HushError `command/number`. */
export function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new HushError('command/number', `"${option}" is "${text}", expected a whole number from ${min} to ${max}.`);
}

/** @throws HushError `command/number`. */
export function fraction(option: string, text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value < 1) return value;
  throw new HushError('command/number', `"${option}" is "${text}", expected a number from 0 to below 1.`);
}

/** Finds the Chromium that tests and federations of this machine run in, or installs one where that is one command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';
import { HushError } from '../src/core/errors.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** SwiftShader gives a WebGPU adapter on a machine without a GPU: right, not fast. */
export const SOFTWARE_GPU_ARGS: readonly string[] = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** A browser that speaks to nobody but the page's server. Root cannot have Chromium's sandbox. */
export const QUIET_ARGS: readonly string[] = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** A Chromium that is there already: $CHROMIUM, on the PATH, in the usual places, or Playwright's own. */
export function installedChromium(): string | undefined {
  const chosen = process.env['CHROMIUM'];
  if (chosen) {
    if (existsSync(chosen)) return chosen;
    throw new HushError('chromium/missing', `"CHROMIUM" is "${chosen}", expected the path of a Chromium or Chrome.`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, ...USUAL_PATHS, chromium.executablePath()].find((path) => existsSync(path));
}

/** @throws HushError `chromium/missing`, saying how to get one. */
export async function findChromium(): Promise<string> {
  const found = installedChromium() ?? (await installOnDebian());
  if (found) return found;
  throw new HushError('chromium/missing', 'No Chromium or Chrome was found on this machine.', {
    advice:
      'Install Chromium or Google Chrome, or run "npx playwright install --with-deps chromium", or name one in the environment variable CHROMIUM.',
  });
}

async function installOnDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return undefined;
  console.log("No Chromium was found: installing Debian's (apt-get update && apt-get install -y chromium).");
  const child = spawn('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  await once(child, 'exit');
  return installedChromium();
}

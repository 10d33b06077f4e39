/**
 * Runs tools/NAME.ts, after making sure that this Node is new enough and that the packages of package-lock.json are
 * installed. Plain Node without packages, since there may be none yet.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = join(ROOT, 'node_modules', '.hushgrad-lock');
const MIN_NODE = [20, 19];

function fail(message) {
  console.error(message);
  process.exit(1);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  fail(
    `This is Node ${process.versions.node}, expected ${MIN_NODE.join('.')} or newer. Get one from https://nodejs.org and try again.`,
  );
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

function installedHash() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8').trim() : '';
}

/** Gives the exit code; a signal that ended the child counts as 128 + its number, as shells have it. */
function run(file, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit', ...options });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the child as well.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('error', (error) => fail(`${file} could not be started: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

async function install() {
  const hash = lockHash();
  if (installedHash() === hash) return;
  console.log('Installing packages (npm ci). This happens once, and again when package-lock.json changes.');
  const npm = process.env.npm_execpath;
  // Node 20 starts npm.cmd through a shell only.
  const code = npm?.endsWith('.js')
    ? await run(process.execPath, [npm, 'ci'])
    : await run('npm', ['ci'], { shell: process.platform === 'win32' });
  if (code !== 0) fail(`npm ci ended with code ${code}. Check the network connection, then try again.`);
  writeFileSync(STAMP, `${hash}\n`);
}

requireNode();
const [name = '', ...args] = process.argv.slice(2);
const script = join(ROOT, 'tools', `${name}.ts`);
if (!/^[a-z-]+$/.test(name) || !existsSync(script))
  fail(`"${name}" is not a command; expected the name of a file tools/NAME.ts.`);
await install();
process.exitCode = await run(process.execPath, ['--import', 'tsx', script, ...args]);

/** A process that runs one trial after another, as its parent sends them. */
import { runTrial } from './trial.ts';
import type { Trial } from './trial.ts';
import type { Answer } from './trialPool.ts';

process.on('message', (trial: Trial) => {
  runTrial(trial).then(
    (result) => answer({ result }),
    (thrown: unknown) => answer({ error: thrown instanceof Error ? String(thrown.stack) : String(thrown) }),
  );
});

function answer(message: Answer): void {
  process.send?.(message);
}

/** The bench's side of a cell: questions one at a time, each with a limit, after which the thread is gone. */
import { HushError } from '../../../src/core/errors.ts';
import type { Answers, Question, Reply } from './cell.ts';

/** A worker of a page, or a process. */
export interface Carrier {
  send(question: Question): void;
  onReply(handler: (reply: Reply) => void): void;
  /** The thread ended by itself. */
  onEnd(handler: (why: string) => void): void;
  end(): void;
}

export interface CellThread {
  /** @throws HushError: what the cell threw, `bench/too-slow` after `limitMs`, or `bench/crashed`. */
  ask<Kind extends Question['kind']>(
    question: Extract<Question, { kind: Kind }>,
    limitMs: number,
  ): Promise<Answers[Kind]>;
  close(): void;
}

export function threadOn(carrier: Carrier): CellThread {
  let waiting: { resolve: (value: unknown) => void; reject: (error: HushError) => void } | undefined;
  carrier.onReply((reply) => {
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(new HushError(reply.error.code, reply.error.message));
  });
  carrier.onEnd((why) => waiting?.reject(new HushError('bench/crashed', `The engine's thread ended: ${why}.`)));
  return {
    ask: async (question, limitMs) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        return await new Promise<never>((resolve, reject) => {
          waiting = { resolve: resolve as (value: unknown) => void, reject };
          timer = setTimeout(() => {
            carrier.end();
            reject(new HushError('bench/too-slow', `It took more than ${Math.round(limitMs / 1000)} s.`));
          }, limitMs);
          carrier.send(question);
        });
      } finally {
        waiting = undefined;
        clearTimeout(timer);
      }
    },
    close: () => carrier.end(),
  };
}

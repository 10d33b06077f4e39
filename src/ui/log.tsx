/** What happened, newest first. */
import type { RunView } from '../core/runView.ts';
import { Card } from './controls.tsx';
import { timeOfDay } from './format.ts';
import { ToneMark } from './notes.tsx';

const MAX_SHOWN = 200;

export function LogCard({ events, wide }: Pick<RunView, 'events'> & { readonly wide: boolean }) {
  const newest = [...events].reverse().slice(0, MAX_SHOWN);
  return (
    <Card title="Log" {...(wide && { name: 'wide' })}>
      {newest.length === 0 ? (
        <p class="empty">Nothing yet.</p>
      ) : (
        <div class="scrolls" role="region" aria-label="Log entries" tabIndex={0}>
          <ol class="log">
            {newest.map((event, i) => (
              <li key={events.length - i}>
                <ToneMark tone={event.kind} />
                <time dateTime={new Date(event.atMs).toISOString()}>{timeOfDay(event.atMs)}</time>
                <span>{event.text}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </Card>
  );
}

/**
 * A part of a screen that renders again only when what it shows has changed, and in a task of its own: progress comes several
 * times a second, and all parts at once would hold the page up while the processor is busy training.
 */
import { Component } from 'preact';
import type { ComponentChild } from 'preact';

interface Props {
  /** All that `render` looks at; compared as JSON. */
  readonly of: unknown;
  readonly render: () => ComponentChild;
}

export class WhenChanged extends Component<Props> {
  #shown = JSON.stringify(this.props.of);

  override shouldComponentUpdate(next: Props): boolean {
    const shown = JSON.stringify(next.of);
    if (shown !== this.#shown) {
      this.#shown = shown;
      renderLater(this);
    }
    return false;
  }

  override componentWillUnmount(): void {
    waiting.delete(this);
  }

  override render(): ComponentChild {
    return this.props.render();
  }
}

const waiting = new Set<WhenChanged>();
let scheduled = false;

function renderLater(part: WhenChanged): void {
  waiting.add(part);
  if (scheduled) return;
  scheduled = true;
  setTimeout(renderNext, 0);
}

/** One part a task, with the props that are the latest by then. */
function renderNext(): void {
  scheduled = false;
  const [first] = waiting;
  if (first === undefined) return;
  waiting.delete(first);
  first.forceUpdate();
  const [second] = waiting;
  if (second !== undefined) renderLater(second);
}

/** A part of a screen that renders again only when what it shows has changed: progress comes several times a second. */
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
    const changed = shown !== this.#shown;
    this.#shown = shown;
    return changed;
  }

  override render(): ComponentChild {
    return this.props.render();
  }
}

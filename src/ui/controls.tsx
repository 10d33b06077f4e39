/** Buttons and cards: the few parts that every screen is made of. */
import { createContext } from 'preact';
import type { ComponentChildren } from 'preact';
import { useContext, useId } from 'preact/hooks';

/** Level of the heading that the next card gets, so that headings stay in order wherever a dashboard is shown. */
export const HeadingLevel = createContext<2 | 3>(2);

export function Heading({ id, children }: { readonly id?: string; readonly children: ComponentChildren }) {
  const Tag = useContext(HeadingLevel) === 2 ? 'h2' : 'h3';
  return <Tag {...(id === undefined ? {} : { id })}>{children}</Tag>;
}

export function Card({
  title,
  name,
  children,
}: {
  readonly title: string;
  /** For the layout. */
  readonly name?: string;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class={name === undefined ? 'card' : `card card-${name}`} aria-labelledby={id}>
      <Heading id={id}>{title}</Heading>
      {children}
    </section>
  );
}

export function Button({
  onPress,
  primary = false,
  unavailable = false,
  expanded,
  label,
  describedBy,
  children,
}: {
  readonly onPress: () => void;
  readonly primary?: boolean;
  /** Stays focusable, so that keyboard focus is not lost when a press makes it unavailable. */
  readonly unavailable?: boolean;
  readonly expanded?: boolean;
  /** For those who hear it, where what is seen says less than they need. */
  readonly label?: string;
  readonly describedBy?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class={primary ? 'button primary' : 'button'}
      aria-disabled={unavailable ? 'true' : undefined}
      aria-expanded={expanded}
      aria-label={label}
      aria-describedby={describedBy}
      onClick={() => !unavailable && onPress()}
    >
      {children}
    </button>
  );
}

/** Names and values in two columns. */
export function Facts({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

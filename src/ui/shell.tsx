/** The frame of every screen: skip link, name, ways, and the pills of the run that is shown. */
import type { ComponentChildren } from 'preact';
import { engineName } from './engineCard.tsx';
import { rate } from './format.ts';
import type { Route } from './route.ts';
import type { OpenRun } from './session.ts';
import { atShare } from './shareControl.tsx';
import { nextTheme, theme } from './theme.ts';

interface Props {
  readonly route: Route;
  readonly open: OpenRun | undefined;
  readonly children: ComponentChildren;
}

const WAYS = [
  ['home', '#/', 'Runs'],
  ['launch', '#/launch', 'Launch'],
  ['try', '#/try', 'Try it here'],
] as const;

export function Shell({ route, open, children }: Props) {
  const view = open?.view.value;
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The fragment is the route here; following the link would leave the screen.
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <Emblem />
          hushgrad
        </a>
        <nav aria-label="Main">
          {WAYS.map(([screen, address, name]) => (
            <a key={screen} href={address} aria-current={current(route, screen)}>
              {name}
            </a>
          ))}
        </nav>
        <div class="pills">
          {view?.plan && (
            <span class="pill sealed" title="Secure averaging: nobody sees one update">
              {view.plan.lane}
            </span>
          )}
          {view?.engine && (
            <span class="pill wide-only">
              {engineName(view.engine.engine)} · {rate(view.engine.samplesPerSecond)}
              {atShare()}
            </span>
          )}
          <ThemeButton />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** A run is under Runs, without being that page. */
function current({ screen }: Route, way: (typeof WAYS)[number][0]): 'page' | 'true' | undefined {
  if (screen === way) return 'page';
  return way === 'home' && (screen === 'run' || screen === 'join') ? 'true' : undefined;
}

/** The round in small: four people, their masks, the centre. */
function Emblem() {
  return (
    <svg class="emblem" viewBox="-10 -10 20 20" width="20" height="20" aria-hidden="true">
      <circle r="9" />
      <path d="M0-9L7.8 4.5H-7.8zM0 9L7.8-4.5H-7.8z" />
      <circle class="emblem-core" r="2.6" />
    </svg>
  );
}

function ThemeButton() {
  const next = nextTheme(theme.value);
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Colours: ${theme.value}. Change to ${next}.`}
      title={`Colours: ${theme.value}`}
      onClick={() => (theme.value = nextTheme(theme.value))}
    >
      <svg viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">
        <circle r="6" />
        {theme.value !== 'light' && (
          <path d={theme.value === 'auto' ? 'M0-6A6 6 0 0 1 0 6z' : 'M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6z'} />
        )}
      </svg>
    </button>
  );
}

/** The screens, put into a page: which one is shown follows the address. */
import '@fontsource/jetbrains-mono/latin-400.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/screens.css';
import './styles/dashboard.css';
import './styles/round.css';
import './styles/learning.css';
import './styles/files.css';
import './styles/try.css';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Application } from '../core/application.ts';
import { runTitle } from './dashboard.tsx';
import { Home } from './home.tsx';
import { Join } from './join.tsx';
import { Launch } from './launch.tsx';
import { readRoute } from './route.ts';
import type { Route } from './route.ts';
import { RunScreen } from './runScreen.tsx';
import { createSession, inTheMiddle } from './session.ts';
import type { OpenRun, Session } from './session.ts';
import { startShare } from './share.ts';
import { Shell } from './shell.tsx';
import { startTheme } from './theme.ts';
import { TryHere } from './tryHere.tsx';

/** Shows the screens in `root` until it is rendered over; the address's fragment is theirs from then on. */
export function mountApplication(root: HTMLElement, application: Application): void {
  startTheme();
  startShare();
  render(<Screens session={createSession(application)} />, root);
}

function Screens({ session }: { readonly session: Session }) {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  const first = useRef(true);
  // Before anything else can change the address: a plain effect waits for the next frame.
  useLayoutEffect(() => {
    const follow = (): void => setRoute(readRoute(location.hash));
    const warn = (event: BeforeUnloadEvent): void => {
      if (inTheMiddle(session)) event.preventDefault();
    };
    addEventListener('hashchange', follow);
    addEventListener('beforeunload', warn);
    return () => {
      removeEventListener('hashchange', follow);
      removeEventListener('beforeunload', warn);
      session.closeAll();
    };
  }, [session]);
  // As a page load would: a new screen begins at its title, for eyes, keyboard and screen readers alike.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [route]);
  const open = openOn(route, session);
  return (
    <Shell route={route} open={open}>
      <TabTitle route={route} open={open} />
      <Screen session={session} route={route} />
    </Shell>
  );
}

function Screen({ session, route }: { readonly session: Session; readonly route: Route }) {
  switch (route.screen) {
    case 'home':
      return <Home session={session} />;
    case 'launch':
      return <Launch session={session} />;
    case 'try':
      return <TryHere session={session} />;
    case 'run':
      return <RunScreen session={session} federation={route.federation} />;
    case 'join':
      return <Join session={session} fragment={route.fragment} />;
    case 'unknown':
    default:
      return (
        <>
          <h1 tabIndex={-1}>There is no such page</h1>
          <p class="sentence">
            Nothing is at <span class="mono">{route.address}</span>. An invite link has #join= in it; copy the whole of
            it.
          </p>
          <a class="button" href="#/">
            Home
          </a>
        </>
      );
  }
}

function openOn(route: Route, session: Session): OpenRun | undefined {
  if (route.screen === 'run') return session.runs.value.get(route.federation);
  if (route.screen === 'join') return session.runs.value.get(route.fragment);
  return route.screen === 'try' ? session.trial.value?.coordinator : undefined;
}

const TITLES: Readonly<Record<Route['screen'], string>> = {
  home: 'hushgrad',
  launch: 'Launch · hushgrad',
  try: 'Try it here · hushgrad',
  run: 'Federation · hushgrad',
  join: 'Join · hushgrad',
  unknown: 'No such page · hushgrad',
};

/** What a tab in the background shows of its run. */
function TabTitle(props: { readonly route: Route; readonly open: OpenRun | undefined }) {
  const text = title(props.route, props.open);
  useEffect(() => {
    document.title = text;
  }, [text]);
  return null;
}

function title(route: Route, open: OpenRun | undefined): string {
  const view = open?.view.value;
  if (!view) return TITLES[route.screen];
  const { round } = view;
  const where =
    round && view.phase === 'running' ? `${round.completed} of ${round.of} rounds` : view.phase.replace('-', ' ');
  return `${where} · ${runTitle(view)} · hushgrad`;
}

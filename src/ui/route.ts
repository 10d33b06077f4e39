/** Which screen the address names. All of it is in the fragment: an invite's secret must not reach a server's log. */

export type Route =
  | { readonly screen: 'home' }
  | { readonly screen: 'launch' }
  | { readonly screen: 'try' }
  | { readonly screen: 'run'; readonly federation: string }
  /** `fragment` is everything after the #, as the application reads it. */
  | { readonly screen: 'join'; readonly fragment: string }
  | { readonly screen: 'unknown'; readonly address: string };

/** `hash` is `location.hash`. */
export function readRoute(hash: string): Route {
  const fragment = hash.replace(/^#/, '');
  if (fragment.startsWith('join=')) return { screen: 'join', fragment };
  const [first = '', second = '', ...more] = fragment.replace(/^\//, '').split('/');
  if (more.length === 0) {
    if (second === '') {
      if (first === '') return { screen: 'home' };
      if (first === 'launch' || first === 'try') return { screen: first };
    } else if (first === 'run') {
      return { screen: 'run', federation: second };
    }
  }
  return { screen: 'unknown', address: `#${fragment.slice(0, 80)}` };
}

/** The fragment in what somebody pasted: a whole link, or only the part from "join=" on. */
export function pastedFragment(pasted: string): string {
  const text = pasted.trim();
  const at = text.indexOf('#');
  return at < 0 ? text : text.slice(at + 1);
}

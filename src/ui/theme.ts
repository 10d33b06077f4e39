/** Light, dark, or as the system has it; kept in this browser. The stylesheet reads `data-theme` on the root. */
import { effect, signal } from '@preact/signals';

const KEY = 'hushgrad/theme';
const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>('auto');

export function nextTheme(current: Theme): Theme {
  return THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'auto';
}

export function startTheme(): void {
  theme.value = THEMES.find((name) => name === stored()) ?? 'auto';
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    keep(theme.value);
  });
}

// Storage throws where a browser blocks it for this site; the choice then lasts as long as the tab.
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(value: Theme): void {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    return;
  }
}

/** Light, dark, or as the system has it; kept in this browser. The stylesheet reads `data-theme` on the root. */
import { effect, signal } from '@preact/signals';
import { keep, kept } from './kept.ts';

const KEY = 'hushgrad/theme';
const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>('auto');

export function nextTheme(current: Theme): Theme {
  return THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'auto';
}

export function startTheme(): void {
  theme.value = THEMES.find((name) => name === kept(KEY)) ?? 'auto';
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    keep(KEY, theme.value);
  });
}

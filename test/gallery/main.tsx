/** The screen gallery: every screen in every state, with made-up figures. Development only. */
import { mountApplication } from '../../src/ui/mount.tsx';
import { exhibits, fakeApplication } from './fakeApplication.ts';
import { NOW } from './fixtures.ts';

const root = document.getElementById('root');
if (!root) throw new Error('gallery.html has no element "root"');
const all = exhibits();
const query = new URLSearchParams(location.search);
const shown = all.find(({ name }) => name === query.get('show'));

if (shown) {
  // The fixtures' deadlines are near a fixed moment; the clock runs on from there.
  const began = performance.now();
  Date.now = () => NOW + performance.now() - began;
  history.replaceState(null, '', `${location.search}${shown.address}`);
  mountApplication(root, fakeApplication(shown.options));
  if (shown.press !== undefined) await press(root, shown.press);
  for (const label of shown.next ?? []) await press(root, label);
} else {
  const list = document.createElement('ul');
  for (const { name } of all) {
    const link = document.createElement('a');
    link.href = `?show=${name}`;
    link.textContent = name;
    const item = document.createElement('li');
    item.append(link);
    list.append(item);
  }
  root.append(list);
}

function press(inside: HTMLElement, label: string): Promise<void> {
  return new Promise((done) => {
    const look = (): void => {
      const button = [...inside.querySelectorAll('button')].find(({ textContent }) => textContent === label);
      if (!button) return;
      observer.disconnect();
      button.click();
      done();
    };
    const observer = new MutationObserver(look);
    observer.observe(inside, { childList: true, subtree: true });
    look();
  });
}

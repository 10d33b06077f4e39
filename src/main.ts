/** The only place in the page where everything is put together. */
import { turn } from './engine/turn.ts';
import { BrowserApplication } from './main/browserApplication.ts';
import { scriptingOf } from './main/scripting.ts';
import { browserServices } from './main/services.ts';
import { mountApplication } from './ui/mount.tsx';

const application = new BrowserApplication(browserServices());
window.hushgrad = scriptingOf(application);
const root = document.getElementById('app');
// In a task of its own: reading the scripts was one already.
if (root !== null) void turn().then(() => mountApplication(root, application));

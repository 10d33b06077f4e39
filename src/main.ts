/** The only place in the page where everything is put together. */
import { BrowserApplication } from './main/browserApplication.ts';
import { scriptingOf } from './main/scripting.ts';
import { browserServices } from './main/services.ts';
import { mountApplication } from './ui/mount.tsx';

const application = new BrowserApplication(browserServices());
window.hushgrad = scriptingOf(application);
const root = document.getElementById('app');
if (root !== null) mountApplication(root, application);

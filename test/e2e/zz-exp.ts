import { openSite } from './support/site.ts';
import { digitsPlanText } from './support/plan.ts';
import { launchPlan } from '../../tools/federate/tabs.ts';
import { parseInvite, inviteFragment } from '../../src/federation/invite.ts';
const site = await openSite();
const coordinator = await site.open('coordinator');
const { inviteLink } = await launchPlan(coordinator, site.url, await digitsPlanText({ rounds: 3, people: 3 }));
const invite = parseInvite(new URL(inviteLink).hash);
const other = (t: string) => (t.startsWith('0') ? '1' : '0') + t.slice(1);
const cases = {
  plan: { ...invite, planHash: other(invite.planHash) as never },
  federation: { ...invite, federation: other(invite.federation) as never },
  key: { ...invite, key: other(invite.key) as never },
  secret: { ...invite, secret: new Uint8Array(16) },
  address: { ...invite, address: 'f'.repeat(32) },
};
const t0 = Date.now();
const tabs = await Promise.all(Object.entries(cases).map(async ([name, inv]) => {
  const tab = await site.open(name);
  await tab.join(site.url + '#' + inviteFragment(inv));
  return [name, tab] as const;
}));
for (let k = 0; k < 5; k++) {
  await coordinator.page.waitForTimeout(k === 0 ? 4000 : 12000);
  console.log('t', Date.now() - t0);
  for (const [name, tab] of tabs) {
    const v = await tab.view();
    console.log(name, JSON.stringify({ phase: v?.phase, sentence: v?.sentence, waiting: v?.waiting?.for, problem: v?.problem, refusals: v?.refusals, log: v?.events.map(e => e.text) }));
    if (k === 4) await tab.page.screenshot({ path: `/tmp/h/ref-${name}.png` });
  }
}
console.log('coordinator', JSON.stringify((await coordinator.view())?.refusals), JSON.stringify((await coordinator.view())?.people), (await coordinator.view())?.events.map(e=>e.text));
console.log(site.faults());
await site.close();

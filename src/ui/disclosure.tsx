/** What leaves a participant's tab, what never does, and what secure averaging cannot give: said before anything starts. */

interface Row {
  readonly what: string;
  readonly who: string;
}

/** `size` of a masked update where it is known; `named` where only named people are admitted. */
function leaving(host: string, size: string, named: boolean): readonly Row[] {
  const name = {
    what: 'Your named key, and its signature in every round',
    who: 'The coordinator and the people in the round. It is the same wherever you are named.',
  };
  return [
    {
      what: `Your masked update, once a round (${size})`,
      who: 'The coordinator. It reads as noise until it is added to everyone else’s.',
    },
    {
      what: 'Your loss and accuracy',
      who: 'Nobody alone: they are inside the masked update, and only their sum over the round is seen.',
    },
    { what: 'Your IP address', who: `The coordinator, and the signalling host ${host}.` },
    { what: 'Number of your samples, time of training', who: 'The coordinator.' },
    { what: 'Name of your engine, progress', who: 'The coordinator and whoever is connected to it.' },
    {
      what: 'A key made for this federation alone',
      who: 'The coordinator and the people in the round. It cannot be linked to another federation.',
    },
    ...(named ? [name] : []),
  ];
}

const STAYING: readonly Row[] = [
  { what: 'Rows, images and labels that you train on', who: 'Only this tab.' },
  { what: 'Your update before it is masked', who: 'Only this tab, in its worker.' },
  { what: 'Gradients of any step', who: 'Only this tab, in its worker.' },
];

export function LeavingTable({
  host,
  size,
  named,
}: {
  readonly host: string;
  readonly size: string;
  readonly named: boolean;
}) {
  return (
    <table class="leaving">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Who can see it</th>
        </tr>
      </thead>
      <Group title="Leaves this tab" rows={leaving(host, size, named)} />
      <Group title="Never leaves this tab" rows={STAYING} />
    </table>
  );
}

function Group({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }) {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={2}>
          {title}
        </th>
      </tr>
      {rows.map(({ what, who }) => (
        <tr key={what}>
          <th scope="row">{what}</th>
          <td>{who}</td>
        </tr>
      ))}
    </tbody>
  );
}

export function Limits() {
  return (
    <details>
      <summary>What this cannot protect from</summary>
      <ul class="bullets">
        <li>What the sum itself tells, or the difference of two sums over almost the same people.</li>
        <li>A coordinator who fills the round with people that do not exist, or with friends.</li>
        <li>People who train on wrong data on purpose: a hidden update cannot be checked one by one.</li>
      </ul>
    </details>
  );
}

/** For whoever launches: the same line, drawn from the other side. */
export function CoordinatorSees({ fewest }: { readonly fewest: number }) {
  return (
    <div class="sees">
      <div>
        <h3>You will see</h3>
        <ul class="bullets">
          <li>the sum of at least {fewest} updates, and each round’s model</li>
          <li>loss and accuracy over everyone in the round</li>
          <li>each person’s IP address, engine, number of samples and progress</li>
        </ul>
      </div>
      <div>
        <h3>You cannot see</h3>
        <ul class="bullets">
          <li>anybody’s rows or labels</li>
          <li>one person’s update, loss or accuracy</li>
        </ul>
      </div>
    </div>
  );
}

/** The link that people join with: to copy, and as a code for a phone's camera. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Button, Card } from './controls.tsx';

export function InviteCard({ link }: { readonly link: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [said, say] = useState('');
  const id = useId();
  const copy = (): void => {
    // Refused without a secure context, or by the person: then the link is selected for them to copy by hand.
    navigator.clipboard.writeText(link).then(
      () => say('Copied.'),
      () => byHand(),
    );
  };
  const byHand = (): void => {
    field.current?.focus();
    field.current?.select();
    say('This browser did not allow copying. The link is selected: copy it with Ctrl+C or ⌘C.');
  };
  return (
    <Card title="Share link" name="invite">
      <div class="invite">
        <div>
          <label for={id}>
            Whoever opens this link sees first what would happen, and joins only on a press of a button.
          </label>
          <div class="field-row">
            <input
              id={id}
              ref={field}
              class="mono"
              readOnly
              value={link}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Button primary onPress={() => (navigator.clipboard ? copy() : byHand())}>
              Copy link
            </Button>
          </div>
          <p class="hint" role="status">
            {said}
          </p>
          <p class="hint">
            The part after # holds a secret and is never sent to a server. Send the link to those who may take part, and
            keep this tab open.
          </p>
        </div>
        <QrCode text={link} />
      </div>
    </Card>
  );
}

interface Code {
  /** Modules on a side. */
  readonly size: number;
  readonly path: string;
}

const EMPTY: Code = { size: 1, path: '' };

/** An empty square until the code is drawn, which the screen does not wait for; the link is beside it all the while. */
function QrCode({ text }: { readonly text: string }) {
  const [{ size, path }, draw] = useState(EMPTY);
  useEffect(() => {
    let current = true;
    codeOf(text).then(
      (code) => current && draw(code),
      () => current && draw(EMPTY),
    );
    return () => {
      current = false;
    };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label="The link as a QR code"
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#1b1f24" />
    </svg>
  );
}

async function codeOf(text: string): Promise<Code> {
  const { encode } = await import('uqr');
  const { data, size } = encode(text, { ecc: 'L', border: 2 });
  const modules = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size, path: modules.join('') };
}

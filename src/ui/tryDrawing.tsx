/** Drawing a figure for the model: with pointer or finger; with a keyboard by a file, or by an example held out. */
import { useRef } from 'preact/hooks';
import { Button } from './controls.tsx';
import { AnswerView, useAsked } from './tryAnswer.tsx';
import { ChooseImage, HeldOutButton } from './tryImage.tsx';
import type { WayProps } from './tryAnswer.tsx';

/** Pixels of the paper, and of a stroke across it. */
const SIDE = 280;
const STROKE = 20;

export function TryDrawing({ tryOut, problemOf, hasHeldOut }: WayProps) {
  const asked = useAsked(problemOf);
  const paper = useRef<HTMLCanvasElement>(null);
  const pen = useRef<{ readonly x: number; readonly y: number } | undefined>(undefined);
  const line = (event: PointerEvent): void => {
    const context = paper.current?.getContext('2d', { willReadFrequently: true });
    if (!context) return;
    const to = placeOf(event);
    const from = pen.current ?? to;
    context.lineWidth = STROKE;
    context.lineCap = 'round';
    context.strokeStyle = '#1b1f24';
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    pen.current = to;
  };
  const lift = (): void => {
    if (pen.current === undefined) return;
    pen.current = undefined;
    const pixels = paper.current?.getContext('2d', { willReadFrequently: true })?.getImageData(0, 0, SIDE, SIDE).data;
    if (!pixels) return;
    // The paper itself is transparent.
    const ink = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => pixels[4 * i + 3] ?? 0);
    asked.ask(() => tryOut.drawing({ side: SIDE, ink }));
  };
  const wipe = (): void => paper.current?.getContext('2d')?.clearRect(0, 0, SIDE, SIDE);
  return (
    <div class="try">
      <div class="try-given">
        <canvas
          ref={paper}
          class="drawing"
          width={SIDE}
          height={SIDE}
          role="img"
          aria-label="Paper to draw on with a pointer. Without one, choose an image or an example that was held out."
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            line(event);
          }}
          onPointerMove={(event) => pen.current && line(event)}
          onPointerUp={lift}
          onPointerCancel={lift}
        />
        <p class="hint">Draw one figure here.</p>
        <div class="buttons">
          <Button
            onPress={() => {
              wipe();
              asked.clear();
            }}
          >
            Clear
          </Button>
          <ChooseImage
            onFile={(file) => {
              wipe();
              asked.ask(() => tryOut.image(file));
            }}
          />
          {hasHeldOut && <HeldOutButton {...{ tryOut, asked }} onPress={wipe} />}
        </div>
      </div>
      <AnswerView asked={asked} />
    </div>
  );
}

/** In pixels of the paper, whatever its size on the screen. */
function placeOf(event: PointerEvent): { readonly x: number; readonly y: number } {
  const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return { x: ((event.clientX - left) / width) * SIDE, y: ((event.clientY - top) / height) * SIDE };
}

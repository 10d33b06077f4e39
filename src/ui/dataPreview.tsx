/** The first examples as they will be trained: images as pictures, rows with their figures, tokens as text. */
import { useEffect, useRef } from 'preact/hooks';
import type { PreviewExample } from '../core/dataReport.ts';
import type { ExpectedData, ExpectedImages, ExpectedTable } from '../core/dataSchema.ts';
import { featureWidth } from '../core/dataShape.ts';
import { quantity } from './format.ts';

interface Props<Expected> {
  readonly preview: readonly PreviewExample[];
  readonly expected: Expected;
}

export function DataPreview({ preview, expected }: Props<ExpectedData>) {
  return (
    <div>
      <h3>
        The first {quantity(preview.length, 'example', 'examples')}, as {preview.length === 1 ? 'it' : 'they'} will be
        trained
      </h3>
      {expected.kind === 'images' && <Images {...{ preview, expected }} />}
      {expected.kind === 'table' && <Rows {...{ preview, expected }} />}
      {expected.kind === 'text' && <Texts preview={preview} />}
    </div>
  );
}

function Images({ preview, expected }: Props<ExpectedImages>) {
  return (
    <ul class="preview-images">
      {preview.map((example, i) => (
        <li key={i}>
          <Picture {...{ example, expected }} />
          <span class="soft">{example.target}</span>
        </li>
      ))}
    </ul>
  );
}

function Picture({ example, expected }: { readonly example: PreviewExample; readonly expected: ExpectedImages }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { height, width } = expected;
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(pixelsOf(example, expected), width, height), 0, 0);
  }, [example]);
  return <canvas ref={canvas} {...{ height, width }} role="img" aria-label={`${example.target}, ${example.file}`} />;
}

/** RGBA; what the plan's normalisation did is undone. */
function pixelsOf({ inputs }: PreviewExample, { height, width, channels, normalise }: ExpectedImages) {
  const pixels = new Uint8ClampedArray(4 * height * width).fill(255);
  const levelOf = (at: number, channel: number): number => {
    const value = inputs[at] ?? 0;
    if (!normalise) return value;
    return 255 * (value * (normalise.deviation[channel] ?? 1) + (normalise.mean[channel] ?? 0));
  };
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      const channel = channels === 1 ? 0 : colour;
      pixels[4 * pixel + colour] = levelOf(pixel * channels + channel, channel);
    }
  }
  return pixels;
}

/** Each cell as it stands in the file, and under it the figures that it becomes. */
function Rows({ preview, expected: { columns, target } }: Props<ExpectedTable>) {
  const used = columns.filter(({ type }) => type !== 'ignored');
  return (
    <div class="scrolls sideways" role="region" aria-label="First examples" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Row</th>
            {used.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col">{target.name}</th>
          </tr>
        </thead>
        <tbody>
          {preview.map(({ row, source, inputs, target: learnt }, i) => {
            let end = 0;
            return (
              <tr key={i}>
                <th scope="row">{row}</th>
                {used.map((column, at) => {
                  const begin = end;
                  end += featureWidth(column);
                  return (
                    <td key={column.name}>
                      {source[at] === '' ? <span class="soft">empty</span> : source[at]}
                      <span class="mono soft trained">{figures(inputs.subarray(begin, end))}</span>
                    </td>
                  );
                })}
                <td>{learnt}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** More values than these are told by the place of the one that is not 0. */
const MOST_FIGURES = 4;

function figures(values: PreviewExample['inputs']): string {
  const rounded = Array.from(values, (value) => Number(value.toFixed(2)));
  if (rounded.length <= MOST_FIGURES) return rounded.join(' ');
  const place = rounded.findIndex((value) => value !== 0);
  return place < 0 ? `${rounded.length} × 0` : `${rounded[place]} at ${place + 1} of ${rounded.length}`;
}

function Texts({ preview }: Pick<Props<ExpectedData>, 'preview'>) {
  return (
    <ol class="preview-texts">
      {preview.map(({ file, source, inputs }, i) => (
        <li key={i}>
          <span class="mono">{source.join('')}</span>
          <span class="soft">
            {file}, {quantity(inputs.length, 'token', 'tokens')}
          </span>
        </li>
      ))}
    </ol>
  );
}

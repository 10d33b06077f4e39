/** What becomes of a gradient: the proximal term, clipping, and the optimizer's rule, in WGSL. */
import type { ParameterLayout } from '../../core/layerShapes.ts';
import type { LocalTraining, OptimizerSpec } from '../../core/plan.ts';
import { Tensor } from './arena.ts';
import { load, store, typeOf } from './values.ts';
import type { Width } from './values.ts';
import { ADAM_BETA1, ADAM_BETA2, CONTROL } from './wgsl.ts';
import type { Kernel } from './wgsl.ts';

/** Kingma and Ba 2015, "Adam", algorithm 1. */
const ADAM_EPSILON = 1e-8;

/** What of a local training decides over kernels; its numbers stand in the control words. */
export interface UpdateRule {
  readonly optimizer: OptimizerSpec['kind'];
  readonly proximal: boolean;
  readonly clipped: boolean;
}

export function updateRule({ optimizer, fedProxMu, maxGradientNorm }: LocalTraining): UpdateRule {
  return { optimizer: optimizer.kind, proximal: fedProxMu > 0, clipped: maxGradientNorm !== undefined };
}

const MOMENTS: Readonly<Record<OptimizerSpec['kind'], number>> = { sgd: 0, momentum: 1, adam: 2, adamw: 2 };

/** Vectors as long as the parameters that the state buffer has: moments first, then the model that the round began with. */
export function stateVectors(rule: UpdateRule): { readonly moments: number; readonly anchor: boolean } {
  return { moments: MOMENTS[rule.optimizer], anchor: rule.proximal };
}

/**
 * WGSL `fn learn(i, gradient)`: takes the step for parameter `i`, or leaves the gradient for when its norm is known. All lanes
 * are of one block; nothing is done for one that is frozen.
 */
export function learn(width: Width, rule: UpdateRule, { blocks, length }: ParameterLayout, lanes?: string): string {
  const { moments } = stateVectors(rule);
  const parameters = `fn learn(i: u32, gradient: ${typeOf(width)}${lanes ? `, ${lanes}: u32` : ''})`;
  const pull = rule.proximal
    ? `g += setting(${CONTROL.proximal}) * (${load(width, 'params', 'i')} - ${load(width, 'state', `${moments * length}u + i`)});`
    : '';
  const then = rule.clipped ? store(width, 'grads', 'i', 'g', lanes) : descend(width, rule, length, lanes);
  const frozen = within(blocks.filter(({ role }) => role === 'frozen'));
  const leave = frozen === 'false' ? '' : `if (${frozen}) { return; } `;
  return `${parameters} { ${leave}var g = gradient; ${pull} ${then} }`;
}

/** WGSL: whether parameter `i` is in one of the blocks. */
function within(blocks: ParameterLayout['blocks']): string {
  const ranges = blocks.map(({ offset, length }) => `(i >= ${offset}u && i < ${offset + length}u)`);
  return ranges.join(' || ') || 'false';
}

/** Li et al. 2020 add µ (w − w₀) to the gradient before all this (FedProx, section 3.2). */
function descend(width: Width, rule: UpdateRule, length: number, lanes?: string): string {
  const w = load(width, 'params', 'i');
  const rate = `setting(${CONTROL.rate})`;
  const put = (value: string): string => `let w = ${value}; ${store(width, 'params', 'i', 'w', lanes)}`;
  switch (rule.optimizer) {
    case 'sgd':
      return put(`${w} - ${rate} * g`);
    case 'momentum':
      // Sutskever et al. 2013, section 2, in the form where the rate is outside.
      return `let v = setting(${CONTROL.momentum}) * ${load(width, 'state', 'i')} + g;
${store(width, 'state', 'i', 'v', lanes)} ${put(`${w} - ${rate} * v`)}`;
    case 'adam':
    case 'adamw': {
      const second = `${length}u + i`;
      // Loshchilov and Hutter 2019, algorithm 2: the decay does not go through the moments.
      const decay = rule.optimizer === 'adamw' ? ` + setting(${CONTROL.decay}) * w0` : '';
      return `let w0 = ${w};
let m = ${ADAM_BETA1} * ${load(width, 'state', 'i')} + ${1 - ADAM_BETA1} * g;
let v = ${ADAM_BETA2} * ${load(width, 'state', second)} + ${1 - ADAM_BETA2} * g * g;
${store(width, 'state', 'i', 'm', lanes)} ${store(width, 'state', second, 'v', lanes)}
let c1 = setting(${CONTROL.nextCorrection1});
let c2 = setting(${CONTROL.nextCorrection2});
${put(`w0 - ${rate} * (m / (c1 * (sqrt(v / c2) + ${ADAM_EPSILON}))${decay})`)}`;
    }
    default:
      return rule.optimizer satisfies never;
  }
}

const NORM_GROUPS = 64;
const SIZE = 64;

/** Scales the whole gradient down to the norm's limit (Pascanu et al. 2013, algorithm 1), then takes the step. */
export function clippedUpdate(rule: UpdateRule, { blocks, length }: ParameterLayout): Kernel[] {
  const squares = new Tensor('squares', NORM_GROUPS * SIZE);
  const notLearned = within(blocks.filter(({ role }) => role !== 'learned'));
  const stride = NORM_GROUPS * SIZE;
  return [
    {
      label: 'squares of the gradient',
      workgroups: NORM_GROUPS,
      workgroupSize: SIZE,
      tensors: [squares],
      code: () => ({
        body: `var sum = 0.0;
for (var i = id; i < ${length}u; i += ${stride}u) { if (!(${notLearned})) { sum += grads[i] * grads[i]; } }
arena[${squares.offset}u + id] = sum;`,
      }),
    },
    {
      label: 'norm of the gradient',
      workgroups: 1,
      workgroupSize: SIZE,
      tensors: [squares],
      code: () => ({
        declarations: `var<workgroup> sums: array<f32, ${SIZE}>;`,
        body: `var sum = 0.0;
for (var i = local; i < ${stride}u; i += ${SIZE}u) { sum += arena[${squares.offset}u + i]; }
sums[local] = sum;
workgroupBarrier();
if (local == 0u) {
  sum = 0.0;
  for (var i = 0u; i < ${SIZE}u; i++) { sum += sums[i]; }
  let norm = sqrt(sum);
  let limit = setting(${CONTROL.maxNorm});
  control[${CONTROL.gradientScale}] = bitcast<u32>(select(1.0, limit / norm, norm > limit));
}`,
      }),
    },
    {
      label: 'update',
      workgroups: Math.ceil(length / SIZE),
      workgroupSize: SIZE,
      tensors: [],
      code: () => ({
        body: `let i = id;
if (i >= ${length}u || ${notLearned}) { return; }
let g = grads[i] * setting(${CONTROL.gradientScale});
${descend(1, rule, length)}`,
      }),
    },
  ];
}

/**
 * How fast a WebGPU device computes, found out with one small shader: to compile a model's shaders for an adapter that turns
 * out to be software takes many seconds.
 */

const WORKGROUP = 64;
/** Two sizes: what the larger one takes longer is arithmetic, the rest is waiting (100 ms in Firefox, bug 1870699). */
const FEW_WORKGROUPS = 128;
const MANY_WORKGROUPS = 512;
const ITERATIONS = 256;
/** A multiplication and an addition on four components, in every invocation. */
const OPERATIONS_PER_WORKGROUP = WORKGROUP * ITERATIONS * 4 * 2;

/** The values depend on the invocation and on a buffer, so that nothing can be computed ahead. */
const SHADER = `
@group(0) @binding(0) var<storage, read_write> data: array<f32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let factor = data[0];
  var value = vec4<f32>(f32(id.x) / 65536.0, 0.25, 0.5, 0.75);
  for (var i = 0u; i < ${ITERATIONS}u; i++) { value = value * factor + 0.001; }
  data[id.x + 1u] = value.x + value.y + value.z + value.w;
}`;

/** Operations on float32 a second. */
export async function webgpuOperationsPerSecond(device: GPUDevice): Promise<number> {
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const size = 4 * (WORKGROUP * MANY_WORKGROUPS + 1);
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const runMs = async (factor: number, workgroups: number): Promise<number> => {
    device.queue.writeBuffer(buffer, 0, new Float32Array([factor]));
    const startMs = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - startMs;
  };
  await runMs(0.99, FEW_WORKGROUPS);
  const fewMs = Math.min(await runMs(0.98, FEW_WORKGROUPS), await runMs(0.97, FEW_WORKGROUPS));
  const manyMs = Math.min(await runMs(0.96, MANY_WORKGROUPS), await runMs(0.95, MANY_WORKGROUPS));
  buffer.destroy();
  const operations = (MANY_WORKGROUPS - FEW_WORKGROUPS) * OPERATIONS_PER_WORKGROUP;
  return (1000 * operations) / Math.max(manyMs - fewMs, 0.01);
}

/**
 * How fast a WebGL context computes, found out in some 50 ms: to compile a model's shaders for a renderer that turns out to
 * be software takes seconds, and all tabs of a browser wait for one another there.
 */

const SIDE = 256;
const ITERATIONS = 512;
/** A multiplication and an addition on four components, at every pixel. */
const OPERATIONS = SIDE * SIDE * ITERATIONS * 4 * 2;

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(4.0 * corner - 1.0, 0.0, 1.0);
}`;

/** The values depend on the pixel and on a uniform, so that nothing can be computed ahead. */
const FRAGMENT = `#version 300 es
precision highp float;
uniform float factor;
out vec4 colour;
void main() {
  vec4 value = gl_FragCoord.xyxy / 256.0;
  for (int i = 0; i < ${ITERATIONS}; i++) value = value * factor + 0.001;
  colour = fract(value);
}`;

/** Operations on float32 a second; 0 when the context cannot even do that. */
export function webglOperationsPerSecond(): number {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const gl = canvas.getContext('webgl2', { antialias: false, depth: false });
  if (!gl) return 0;
  const program = programOf(gl);
  if (!program) return 0;
  gl.useProgram(program);
  gl.bindVertexArray(gl.createVertexArray());
  const factor = gl.getUniformLocation(program, 'factor');
  const pixel = new Uint8Array(4);
  const drawMs = (value: number): number => {
    const startMs = performance.now();
    gl.uniform1f(factor, value);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    // Waits until it is drawn.
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    return Math.max(performance.now() - startMs, 0.01);
  };
  drawMs(0.99);
  const fastestMs = Math.min(drawMs(0.98), drawMs(0.97));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return (1000 * OPERATIONS) / fastestMs;
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram | undefined {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) return undefined;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) === true ? program : undefined;
}

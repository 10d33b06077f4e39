/** What engines run on here, in one line: where it is the same, the same engine is the fastest. */

export async function describeMachine(): Promise<string> {
  const { userAgent, hardwareConcurrency, gpu } = navigator as Partial<Navigator>;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  const { vendor = '', architecture = '', device = '', description = '' } = adapter?.info ?? {};
  const isolated = globalThis.crossOriginIsolated ? 'isolated' : 'not isolated';
  const graphics = adapter ? [vendor, architecture, device, description].join(' ') : 'no WebGPU';
  return [userAgent ?? '', `${hardwareConcurrency ?? 1} cores`, isolated, graphics].join('; ');
}

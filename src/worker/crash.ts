/** A promise that nobody caught is silent in a worker; the page must hear of it, so that it can start a new one. */
export function crashOnUnhandled(): void {
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    reportError(event.reason);
  });
}

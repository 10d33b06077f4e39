/** What PeerJS calls a key: a constant that client and server share. It keeps nobody out, and is no secret. */
export const SIGNAL_KEY = 'hushgrad';

/** Where the application's server has its signalling. */
export const SIGNAL_PATH = '/signal';

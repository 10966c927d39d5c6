/** What may be logged of an error: messages of our own, and of anybody else's only what says its kind. */
export interface ErrorFacts {
  readonly errorName: string;
  readonly errorCode?: string;
  readonly errorMessage: string;
}

/**
 * An error as facts for a log line. Messages of schema errors can quote the data that failed, so those
 * are reduced to the places; all others are cut to one line of 300 characters.
 */
export function describeError(error: unknown): ErrorFacts {
  if (!(error instanceof Error))
    return { errorName: 'unknown', errorMessage: 'something that is no error was thrown' };
  const code = 'code' in error && typeof error.code === 'string' ? { errorCode: error.code } : {};
  if (error instanceof SyntaxError) return { errorName: error.name, ...code, errorMessage: 'not valid JSON' };
  if ('issues' in error && Array.isArray(error.issues)) {
    const places = (error.issues as readonly { path?: readonly PropertyKey[]; code?: string }[]).map(
      ({ path = [], code: kind = 'invalid' }) => `${path.map(String).join('.') || 'value'}: ${kind}`,
    );
    return { errorName: error.name, ...code, errorMessage: places.slice(0, 5).join(', ') };
  }
  return { errorName: error.name, ...code, errorMessage: error.message.replace(/\s+/g, ' ').slice(0, 300) };
}

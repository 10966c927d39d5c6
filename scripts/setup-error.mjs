/** What stops a task before it begins, in words for the person who typed the command. No stack is shown. */
export class SetupError extends Error {
  static code = 'setup_failed';

  /**
   * @param {string} message what is wrong and what to do
   * @param {number} [exitCode]
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

import type { GitError } from './git-command.ts';

/** Why a push failed and what to do, in plain words. */
export function pushError(error: GitError, remote: string, branch: string): string {
  const said = `${error.stdout}\n${error.stderr}`;
  if (/\[rejected\]/.test(said)) {
    return `the branch ${branch} of ${remote} has commits that the branch in the vault has not, and nothing is ever overwritten there. Bring them in with git pull, or name another branch with "git.branch" in the config`;
  }
  if (/\[remote rejected\]|pre-receive hook declined|protected branch/i.test(said)) {
    return `${remote} refused the push: ${lineWith(said, /remote rejected|declined|protected|remote: /)}`;
  }
  if (/pre-push hook|hook declined/i.test(said)) return `your pre-push hook refused the push`;
  if (
    /permission denied|authentication failed|could not read (username|password)|terminal prompts disabled|access denied|returned error: 40[13]|host key verification failed|invalid credentials/i.test(
      said,
    )
  ) {
    return `${remote} did not let this machine in, and nobody is asked for a password here: set up a credential helper of git or an ssh key, and try "git push ${remote}" by hand once`;
  }
  if (
    /could not resolve host|temporary failure in name resolution|connection (refused|timed out|reset|closed)|network is unreachable|no route to host|operation timed out|failed to connect|did not end within/i.test(
      `${said}${error.message}`,
    )
  ) {
    return `no connection to ${remote}; it is tried again`;
  }
  if (
    /does not appear to be a git repository|repository .*not found|no such remote|returned error: 404/i.test(
      said,
    )
  ) {
    return `${remote} is not there, or this machine may not see it: check "git.remote" in the config`;
  }
  return error.message;
}

function lineWith(text: string, pattern: RegExp): string {
  const line = text.split('\n').find((one) => pattern.test(one)) ?? '';
  return line.trim().replace(/\s+/g, ' ').slice(0, 300);
}

import type { AgentPorts } from '#local-agent/agent.ts';

/** The process died here. Nothing of the program runs after it. */
export class CrashError extends Error {}

type CrashablePorts = Pick<AgentPorts, 'ledger' | 'tasks' | 'blobs' | 'files' | 'tools'>;

/** Ports that die at the `at`-th call, before it takes effect or right after; 0 never dies. */
export interface CrashPlan {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/**
 * Wraps ports so that the `at`-th call of any of them ends the process, as far as the code above can
 * tell: it throws, and so does each call after it.
 *
 * @returns the wrapped ports, and how many calls were made.
 */
export function crashingPorts(
  ports: CrashablePorts,
  plan: CrashPlan,
): { readonly ports: CrashablePorts; readonly calls: () => number } {
  let calls = 0;
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          calls += 1;
          const dying = plan.at > 0 && calls >= plan.at;
          if (dying && (calls > plan.at || plan.when === 'before'))
            throw new CrashError(`died at call ${calls}`);
          const result: unknown = await Reflect.apply(member, target, args);
          if (dying) throw new CrashError(`died after call ${calls}`);
          return result;
        };
      },
    });
  return {
    ports: {
      ledger: wrap(ports.ledger),
      tasks: wrap(ports.tasks),
      blobs: wrap(ports.blobs),
      files: wrap(ports.files),
      tools: wrap(ports.tools),
    },
    calls: () => calls,
  };
}

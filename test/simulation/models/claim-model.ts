import type { ClaimAnswer, SeenClaim } from '#protocol/claim.ts';
import type { Task } from '#protocol/task.ts';
import { LEASE_MS, REAL_CLAIMS, SILENT_TICKS } from './claim-rules.ts';
import type { ClaimRules } from './claim-rules.ts';
import { taskId } from './claim-world.ts';
import type { ClaimSize, ClaimWorld, Knowledge, Request } from './claim-world.ts';
import { notRescued, twoHolders, wrongWin } from './claim-checks.ts';
import type { Model, Step } from './explore.ts';
import { orders, symmetricKey } from './symmetry.ts';

/**
 * Agents that claim one task, renew, release and hand it over, and take it over from whoever is silent. Nothing says
 * when: an agent may be suspended between any two steps, time passes whenever it likes, and each request may get lost,
 * lose its reply, arrive late, or be its author's last. The rules are the product's pure rules; `dynamodb-task-store`
 * is held to the same by its contract suite.
 *
 * Abstract is time: ticks of which two make a silence; ages are not counted beyond, for no rule looks further.
 * Heartbeats count only as the same or not the same, since they grow for ever. Reading the item is one step: what is
 * learned from an older reading is what a suspended reader learns.
 */
export function claimModel(size: ClaimSize, rules: ClaimRules = REAL_CLAIMS): Model<ClaimWorld> {
  const name = (index: number): string => (size.agents[index] === 'cloud' ? 'cloud' : `a${index}`);
  const twins = orders(size.agents.length).filter((order) =>
    order.every((place, index) => size.agents[place] === size.agents[index]),
  );
  const initial: ClaimWorld = {
    item: {
      ...{ taskId, state: 'needs_action', home: 'cloud', epoch: 0, heartbeat: 0, leaseMs: 0 },
      ...{ version: 1, effects: 0 },
    },
    agents: size.agents.map((_, index) => ({
      ...{ isUnsure: false, attempt: `${name(index)}-0`, ageTicks: 0, tries: size.tries },
    })),
    late: [],
    stillTicks: 0,
    losses: size.losses,
    deaths: size.deaths,
  };

  function decide(item: Task, request: Request): ClaimAnswer {
    const { by } = request;
    const owner = name(by);
    const zone = size.agents[by] ?? 'local';
    switch (request.op) {
      case 'claim':
        return rules.claim(item, {
          ...{ taskId, owner, attemptId: request.attempt, zone, leaseMs: LEASE_MS },
          ...{ from: ['needs_action'], to: 'drafting' },
        });
      case 'renew':
        return rules.renew(item, { taskId, owner, epoch: request.epoch });
      case 'release':
        return rules.release(item, {
          taskId,
          owner,
          epoch: request.epoch,
          to: 'needs_action',
          home: item.home,
        });
      case 'transfer':
        return rules.transfer(item, {
          ...{ taskId, owner, epoch: request.epoch, newOwner: name(request.to), zone },
          attemptId: request.attempt,
        });
      case 'takeover':
        return rules.takeover(item, { taskId, owner, attemptId: request.attempt, zone, seen: request.seen });
    }
  }

  /** The store decides. */
  function arrives(
    world: ClaimWorld,
    request: Request,
  ): { world: ClaimWorld; answer: ClaimAnswer; wrong?: string } {
    const { item } = world;
    const answer = decide(rules.isConditional ? item : request.read, request);
    if (!answer.won) return { world, answer };
    const { task } = answer;
    const wrong = wrongWin(world, request, task, name(request.by));
    return {
      world: { ...world, item: task, stillTicks: 0 },
      answer,
      ...(wrong === undefined ? {} : { wrong }),
    };
  }

  function* stepsOf(world: ClaimWorld, index: number): Generator<Step<ClaimWorld>> {
    const agent = world.agents[index];
    if (!agent) return;
    const set = (to: ClaimWorld, changed: Partial<Knowledge>): ClaimWorld => ({
      ...to,
      agents: to.agents.map((other, at) => (at === index ? clean({ ...other, ...changed }) : other)),
    });
    const { request } = agent;
    if (request) {
      const label = `${name(index)}: ${wordsOf(request, name)}`;
      const { world: done, answer, wrong } = arrives(world, request);
      const result = answer.won ? `won, epoch ${answer.task.epoch}` : 'refused';
      yield { label: `${label} → ${result}`, to: set(done, heard(request, answer)), wrong };
      const unsure = { request: undefined, isUnsure: true, holds: undefined };
      const away = { ...world, late: [...world.late, request] };
      const asleep = { ...unsure, first: undefined, ageTicks: 0 };
      if (world.losses > 0) {
        const losses = world.losses - 1;
        yield { label: `${label}, no reply yet`, to: set({ ...away, losses }, unsure) };
        if (answer.won)
          yield {
            label: `${label} → ${result}, the reply is lost`,
            to: set({ ...done, losses }, unsure),
            wrong,
          };
      }
      if (world.deaths > 0) {
        const deaths = world.deaths - 1;
        yield { label: `${label}, and dies at once`, to: set({ ...away, deaths }, asleep) };
        if (answer.won)
          yield { label: `${label} → ${result}, and dies`, to: set({ ...done, deaths }, asleep), wrong };
      }
      return;
    }
    yield* decisions(world, index, agent, set);
  }

  /** What an agent that waits for nothing may do next. */
  function* decisions(
    world: ClaimWorld,
    index: number,
    agent: Knowledge,
    set: (to: ClaimWorld, changed: Partial<Knowledge>) => ClaimWorld,
  ): Generator<Step<ClaimWorld>> {
    const { item } = world;
    const { holds, tries } = agent;
    const read = item;
    const ask = (request: Request, changed: Partial<Knowledge> = {}): Step<ClaimWorld> => ({
      label: `${name(index)} asks: ${wordsOf(request, name)}`,
      to: set(world, { ...changed, request }),
    });
    const begin = { attempt: nextAttempt(agent.attempt), tries: tries - 1 };
    if (holds !== undefined) {
      yield ask({ op: 'renew', by: index, read, epoch: holds });
      yield ask({ op: 'release', by: index, read, epoch: holds });
      for (const to of size.agents.keys()) {
        if (to === index || tries === 0 || size.agents[to] === 'cloud') continue;
        yield ask({ op: 'transfer', by: index, read, epoch: holds, to, attempt: begin.attempt }, begin);
      }
      return;
    }
    if (tries > 0) {
      if (!agent.isUnsure) yield ask({ op: 'claim', by: index, read, attempt: begin.attempt }, begin);
      // A plan that was not carried to its end: the same attempt once more.
      else yield ask({ op: 'claim', by: index, read, attempt: agent.attempt }, { tries: tries - 1 });
    }
    // Reads the item: its own claim, under whatever attempt, is its own; of others it takes note.
    const mine = item.owner === name(index) ? item.epoch : undefined;
    const isForeign = item.owner !== undefined && mine === undefined;
    const isKnown = agent.first !== undefined && sameClaim(agent.first, item);
    const look: Partial<Knowledge> = {
      ...{ isUnsure: false, holds: mine, first: isForeign ? item : undefined },
      ageTicks: isForeign && isKnown ? agent.ageTicks : 0,
    };
    yield { label: `${name(index)} looks: ${item.owner ?? 'nobody'} holds it`, to: set(world, look) };
    const { first, ageTicks } = agent;
    if (!isForeign || tries === 0 || agent.isUnsure || !first) return;
    const seen = rules.silent(item, { first, ageTicks, stillTicks: world.stillTicks });
    if (seen) yield ask({ op: 'takeover', by: index, read, seen, attempt: begin.attempt }, begin);
  }

  return {
    initial,
    *steps(world) {
      for (const index of size.agents.keys()) yield* stepsOf(world, index);
      for (const [at, request] of world.late.entries()) {
        const late = world.late.filter((_, other) => other !== at);
        const { world: done, wrong } = arrives({ ...world, late }, request);
        yield { label: `${name(request.by)}'s ${wordsOf(request, name)} arrives late`, to: done, wrong };
      }
      const later = (ticks: number): number => Math.min(SILENT_TICKS, ticks + 1);
      const agents = world.agents.map((agent) => ({
        ...agent,
        ageTicks: agent.first ? later(agent.ageTicks) : 0,
      }));
      yield { label: 'time passes', to: { ...world, agents, stillTicks: later(world.stillTicks) } };
    },
    key: (world) => {
      const { item, losses, deaths, late, stillTicks } = world;
      const beat = (seen: SeenClaim | Task): string => (sameClaim(seen, item) ? 'now' : 'before');
      const text = (request: Request): string => {
        const { op, by } = request;
        const own = 'attempt' in request ? request.attempt : '';
        const epoch = 'epoch' in request ? request.epoch : '';
        const to = op === 'transfer' ? name(request.to) : '';
        const seen = op === 'takeover' ? beat(request.seen) : '';
        const read = rules.isConditional ? '' : `${request.read.version} ${request.read.owner ?? ''}`;
        return [op, name(by), own, epoch, to, seen, read].join(' ');
      };
      const { state, home, owner, attemptId, epoch } = item;
      const still = owner === undefined ? '' : stillTicks;
      return symmetricKey(
        twins,
        [state, home, owner, attemptId, epoch, still, losses, deaths, late.map(text).sort().join(';')].join(),
        world.agents.map(({ holds, request, isUnsure, attempt, first, ageTicks, tries }) =>
          [holds, request && text(request), isUnsure, attempt, first && beat(first), ageTicks, tries].join(),
        ),
      );
    },
    check: (world) => twoHolders(world, name) ?? notRescued(world.item, rules),
    isGoal: ({ item, agents }) => item.owner === undefined || agents.every(({ tries }) => tries === 0),
  };
}

/** What an agent knows after an answer. */
function heard(request: Request, answer: ClaimAnswer): Partial<Knowledge> {
  const done: Partial<Knowledge> = { request: undefined };
  if (request.op === 'claim' || request.op === 'takeover') {
    return { ...done, isUnsure: false, holds: answer.won ? answer.task.epoch : undefined, first: undefined };
  }
  const isHolder = request.op === 'renew' && answer.won;
  return isHolder ? done : { ...done, holds: undefined };
}

function sameClaim(seen: SeenClaim | Task, item: Task): boolean {
  return seen.owner === item.owner && seen.epoch === item.epoch && seen.heartbeat === item.heartbeat;
}

function clean(agent: Knowledge): Knowledge {
  return Object.fromEntries(
    Object.entries(agent).filter(([, value]) => value !== undefined),
  ) as unknown as Knowledge;
}

function nextAttempt(attempt: string): string {
  const [name = '', count = '0'] = attempt.split('-');
  return `${name}-${Number(count) + 1}`;
}

function wordsOf(request: Request, name: (index: number) => string): string {
  switch (request.op) {
    case 'claim':
      return `claim (${request.attempt})`;
    case 'renew':
    case 'release':
      return `${request.op} with epoch ${request.epoch}`;
    case 'transfer':
      return `transfer to ${name(request.to)} with epoch ${request.epoch}`;
    case 'takeover':
      return `takeover of epoch ${request.seen.epoch}, heartbeat ${request.seen.heartbeat}`;
  }
}

/**
 * What neither template nor count can tell. Each is a guess on the dear side of a small deployment; docs/cost.md
 * repeats them for people.
 */
export const ASSUMPTIONS = {
  hoursAMonth: 730,
  /**
   * Lambda asks each queue by five long polls of 20 s at once, mails or not; only a mapping without maximum
   * concurrency may go down to two.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
   */
  pollersAQueue: 5,
  pollSeconds: 20,
  /** One agent with the default `pollMs`, day and night; each look reads the last entry, of at most 4 KB. */
  agentPollSeconds: 10,
  /** At rest while nothing happens: 10,000 notes of 2 KB, and what led to them. */
  tableGb: 0.02,
  bucketGb: 0.02,
  logGroupGb: 0.01,
  /** Names of metrics that a function reports under, in the full profile; paid as if mail came in every hour. */
  metricsAFunction: 4,
  /** A schedule fires at most once a minute. */
  scheduleMinutes: 1,
  /** Mean of a raw mail, attachments included, and how long it is kept: 90 days, and 30 as an old version. */
  mailBytes: 75_000,
  mailMonths: 4,
  /** Time in a function: a call to a service, and the work between calls for one mail. */
  callMs: 15,
  workMs: 50,
  /** A rotation is four steps, each in a function that starts cold and reads the ledger's end several times. */
  rotationSteps: 4,
  rotationStepMs: 3000,
  rotationMemoryGb: 1,
  rotationSecretCalls: 16,
  rotationLedgerReads: 16,
  rotationLedgerWrites: 4,
  /** Lines of the platform itself (START, END, REPORT) for one invocation; those of the function are counted. */
  platformLogBytes: 450,
  /** A model that drafts, if the owner lets one: the mail with the handbook in, an answer out. */
  modelInputTokens: 3000,
  modelOutputTokens: 400,
} as const;

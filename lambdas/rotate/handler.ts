import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { z } from 'zod';
import { describeError } from '#lambdas/runtime/describe-error.ts';
import type { RotateEnv } from './env.ts';
import { rotate } from './rotate.ts';
import type { RotationPorts } from './rotate.ts';

/** What Secrets Manager sends: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html */
const RotationEvent = z.object({
  SecretId: z.string(),
  ClientRequestToken: z.string().min(1).max(64),
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
});

/** Lambda's entry point. The second parameter is Lambda's context. */
export type RotateHandler = (event: unknown, context: object) => Promise<void>;

/** The step failed. The message says why, in words that may be logged. */
class StepFailedError extends Error {
  override readonly name = 'StepFailedError';
}

/**
 * The rotation function: one step of a rotation at each call, and one line in the log. A step that cannot be done
 * ends in an error, so that Secrets Manager knows; only its kind and our own words leave the function.
 */
export function createRotateHandler(env: RotateEnv, ports: RotationPorts): RotateHandler {
  const logger = new Logger({ serviceName: env.POWERTOOLS_SERVICE_NAME, logLevel: env.POWERTOOLS_LOG_LEVEL });
  const handler = middy(async (event: unknown): Promise<void> => {
    const parsed = RotationEvent.safeParse(event);
    if (!parsed.success) throw new StepFailedError('this is no event of a rotation');
    const { SecretId, ClientRequestToken: versionId, Step: step } = parsed.data;
    if (SecretId !== env.VAULT_SECRET_ARN) throw new StepFailedError('this function rotates another secret');
    try {
      logger.info('outcome', { step, versionId, status: await rotate({ step, versionId }, ports) });
    } catch (error) {
      const facts = describeError(error);
      logger.error('outcome', { step, versionId, status: 'failed', ...facts });
      // Lambda prints what is thrown, with all that hangs on it.
      throw new StepFailedError(`${step}: ${facts.errorMessage}`);
    }
  });
  return handler.use(injectLambdaContext(logger));
}

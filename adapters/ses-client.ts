import { SESClient } from '@aws-sdk/client-ses';
import { clientConfig, type AwsOptions } from './client-options.ts';

/** A client of SES (API v1). Not for the cloud's functions: they may not send. */
export function createSesClient(options?: AwsOptions): SESClient {
  return new SESClient(clientConfig('ses', options));
}

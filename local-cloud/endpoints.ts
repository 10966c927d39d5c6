/** Where each service of a local cloud answers. */
export interface Endpoints {
  dynamodb: string;
  s3: string;
  sns: string;
  sqs: string;
  ses: string;
  secretsmanager: string;
  sts: string;
  cloudwatch: string;
}

/**
 * The variables by which every AWS SDK takes its endpoints.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function endpointVariables(endpoints: Endpoints): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SNS: endpoints.sns,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SES: endpoints.ses,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
    AWS_ENDPOINT_URL_STS: endpoints.sts,
    AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.cloudwatch,
  };
}

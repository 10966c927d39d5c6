import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { checkSignature } from './signature.ts';

/** A stack as the service knows it. */
export interface ServedStack {
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** CloudFormation on loopback: `DescribeStacks` as the query protocol has it, signatures checked. */
export interface TestCloudFormation {
  readonly endpoint: string;
  /** By name; may be changed at any time. */
  readonly stacks: Map<string, ServedStack>;
  /** The regions that requests were signed for. */
  readonly regions: string[];
  /** Answers every request with this error from now on. */
  refuse: (
    error: { readonly status: number; readonly code: string; readonly message: string } | undefined,
  ) => void;
  close: () => Promise<void>;
}

const namespace = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

/** Starts it for one access key. */
export async function startCloudFormation(key: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): Promise<TestCloudFormation> {
  const stacks = new Map<string, ServedStack>();
  const regions: string[] = [];
  let refusal: Parameters<TestCloudFormation['refuse']>[0];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const { accessKeyId, scope, isValid } = checkSignature(
        { method, url, headers, body },
        key.secretAccessKey,
      );
      const [, region = '', service] = scope.split('/');
      regions.push(region);
      const known = accessKeyId === key.accessKeyId;
      const asked = new URLSearchParams(body);
      const name = asked.get('StackName') ?? '';
      const stack = stacks.get(name);
      const [status, answer] = refusal
        ? [refusal.status, errorOf(refusal.code, refusal.message)]
        : !known
          ? [403, errorOf('InvalidClientTokenId', 'The security token included in the request is invalid.')]
          : !isValid || service !== 'cloudformation'
            ? [403, errorOf('SignatureDoesNotMatch', 'The request signature we calculated does not match.')]
            : asked.get('Action') !== 'DescribeStacks' || asked.get('Version') !== '2010-05-15'
              ? [400, errorOf('InvalidAction', 'Could not find operation')]
              : stack === undefined
                ? [400, errorOf('ValidationError', `Stack with id ${name} does not exist`)]
                : [200, answerOf(name, stack)];
      response.writeHead(status, { 'content-type': 'text/xml' }).end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stacks,
    regions,
    refuse: (error) => {
      refusal = error;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

// The shape of AWS's example answer, with members that nobody here asks for.
function answerOf(name: string, { status, outputs }: ServedStack): string {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><Description>What ${key} is &amp; does</Description><OutputKey>${key}</OutputKey><OutputValue>${escaped(value)}</OutputValue><ExportName>${name}:${key}</ExportName></member>`,
  );
  return `<DescribeStacksResponse xmlns="${namespace}">
  <DescribeStacksResult><Stacks><member>
    <StackName>${name}</StackName><StackId>arn:aws:cloudformation:x:1:stack/${name}/1</StackId>
    <Parameters><member><ParameterKey>BootstrapVersion</ParameterKey><ParameterValue>/cdk/v</ParameterValue></member></Parameters>
    <Tags><member><Key>project</Key><Value>ai-employee</Value></member></Tags>
    <StackStatus>${status}</StackStatus>
    ${members.length === 0 ? '' : `<Outputs>\n${members.join('\n')}\n</Outputs>`}
  </member></Stacks></DescribeStacksResult>
  <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>
</DescribeStacksResponse>`;
}

function errorOf(code: string, message: string): string {
  return `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
}

function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

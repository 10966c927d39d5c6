import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createS3Client } from '#adapters/s3-client.ts';

it('calls of the table and the bucket carry and sign no count of calls and attempts, also when tried again', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.statusCode = seen.length % 2 === 1 ? 500 : 200;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = {
    region: 'eu-central-1',
    endpoints: { dynamodb: endpoint, s3: endpoint },
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  };
  const [dynamodb, s3] = [createDynamoClient(options), createS3Client(options)];
  try {
    await dynamodb.send(new GetItemCommand({ TableName: 'tasks', Key: { taskId: { S: 't1' } } }));
    await s3.send(new HeadObjectCommand({ Bucket: 'vault', Key: 'blobs/1' }));
    expect(seen).toHaveLength(4);
    for (const headers of seen) {
      expect(Object.keys(headers).filter((name) => name.startsWith('amz-sdk'))).toEqual([]);
      expect(headers.authorization).toContain('SignedHeaders=');
      expect(headers.authorization).not.toContain('amz-sdk');
    }
  } finally {
    dynamodb.destroy();
    s3.destroy();
    server.closeAllConnections();
    server.close();
  }
});

import type { IncomingHttpHeaders } from 'node:http';

/** What an S3 request asks for. `operation` is undefined where the local cloud has no answer. */
export interface S3Request {
  operation: string | undefined;
  bucket: string;
  key: string;
  /** What a listing is limited to, if it says so. */
  prefix?: string;
  /** The subresource that made the request unknown, for the error message. */
  unknownSubresource?: string;
}

const SUBRESOURCES = new Set([
  ...['accelerate', 'acl', 'analytics', 'cors', 'encryption', 'intelligent-tiering', 'inventory'],
  ...['legal-hold', 'lifecycle', 'location', 'logging', 'metrics', 'notification', 'object-lock'],
  ...['ownershipControls', 'policy', 'policyStatus', 'publicAccessBlock', 'replication', 'requestPayment'],
  ...['restore', 'retention', 'select', 'tagging', 'torrent', 'versioning', 'versions', 'website'],
]);

/**
 * Names the S3 operation of a path-style REST request. A subresource that the emulator does not know
 * (`?tagging`, `?versioning` …) yields no operation: the emulator behind would take it for a plain put and
 * overwrite the object.
 */
export function s3Operation(method: string, url: string, headers: IncomingHttpHeaders): S3Request {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decode(rest.join('/'));
  const prefix = searchParams.get('prefix');
  const request = { bucket: decode(bucket), key, ...(prefix === null ? {} : { prefix }) };
  const subresource = [...searchParams.keys()].find((name) => SUBRESOURCES.has(name));
  const lifecycle = subresource === 'lifecycle' && key === '';
  if (subresource !== undefined && !lifecycle) {
    return { ...request, operation: undefined, unknownSubresource: subresource };
  }
  if (request.bucket === '') return { ...request, operation: method === 'GET' ? 'ListBuckets' : undefined };
  if (lifecycle) return { ...request, operation: LIFECYCLE[method] };
  return {
    ...request,
    operation:
      key === '' ? bucketOperation(method, searchParams) : objectOperation(method, searchParams, headers),
  };
}

const LIFECYCLE: Partial<Record<string, string>> = {
  PUT: 'PutBucketLifecycleConfiguration',
  GET: 'GetBucketLifecycleConfiguration',
  DELETE: 'DeleteBucketLifecycle',
};

function bucketOperation(method: string, query: URLSearchParams): string | undefined {
  if (method === 'PUT') return 'CreateBucket';
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'DELETE') return 'DeleteBucket';
  if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  return method === 'POST' && query.has('delete') ? 'DeleteObjects' : undefined;
}

function objectOperation(
  method: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): string | undefined {
  const upload = query.has('uploadId');
  if (method === 'PUT') {
    if (upload) return query.has('partNumber') ? 'UploadPart' : undefined;
    return headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
  }
  if (method === 'POST') {
    if (query.has('uploads')) return 'CreateMultipartUpload';
    return upload ? 'CompleteMultipartUpload' : undefined;
  }
  if (method === 'DELETE') return upload ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'HEAD') return 'HeadObject';
  if (method !== 'GET' || upload) return undefined;
  return query.has('attributes') ? 'GetObjectAttributes' : 'GetObject';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

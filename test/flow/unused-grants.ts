const readsBack =
  'asked only when the reply to a change of the task was lost on the way: then the item is read back';
const runtime = "Lambda's runtime writes the function's log with it; there is no log service here";

/**
 * Grants that the run in `grants.long.test.ts` does not need, each with the reason why the role has it all the same. Whatever
 * else is granted and not needed is a right too many. Places are without the names of deployment and stack.
 */
export const unusedGrants: Readonly<Record<string, string>> = {
  'Triage dynamodb:GetItem table/Tasks': readsBack,
  'Triage logs:CreateLogStream log-group:TriageLogs': runtime,
  'Triage logs:PutLogEvents log-group:TriageLogs': runtime,
  'Draft dynamodb:GetItem table/Tasks': readsBack,
  'Draft logs:CreateLogStream log-group:DraftLogs': runtime,
  'Draft logs:PutLogEvents log-group:DraftLogs': runtime,
  'Rotate logs:CreateLogStream log-group:RotateLogs': runtime,
  'Rotate logs:PutLogEvents log-group:RotateLogs': runtime,
  'Archive logs:CreateLogStream log-group:ArchiveLogs': runtime,
  'Archive logs:PutLogEvents log-group:ArchiveLogs': runtime,
  'Archive s3:PutObject archive/rewritten/*':
    'only when somebody changes an entry of the ledger in its table',
  'agent s3:GetObject archive/ledger/*':
    'only where the ledger was put back to an earlier state: what it lacks is read (`archive.long.test.ts` does)',
  'agent s3:DeleteObject vault/blobs/*':
    '`employee gc --yes` removes only what has been garbage for a day or more',
};

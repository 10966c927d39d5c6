#!/usr/bin/env node
// The one way into every command of this project: `node scripts/run.mjs TASK [ARGUMENTS]`.
// This file has to be readable by any Node, however old, so that the sentence below is what its user sees.
const MIN_NODE_MAJOR = 20;

if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  console.error(
    `AI Employee needs Node ${MIN_NODE_MAJOR} or newer to start (this is ${process.version}). ` +
      'It brings the Node it runs on itself. Install one from https://nodejs.org and try again.',
  );
  process.exitCode = 1;
} else {
  void import('./run-task.mjs').then(({ runTask }) => runTask(process.argv[2], process.argv.slice(3)));
}

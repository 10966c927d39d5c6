#!/usr/bin/env node
// `employee`: starts local-agent/cli.ts on the project's own Node. Nothing here writes to stdout.
const MIN_NODE_MAJOR = 20;

if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  console.error(
    `employee needs Node ${MIN_NODE_MAJOR} or newer to start (this is ${process.version}). ` +
      'It brings the Node it runs on itself. Install one from https://nodejs.org and try again.',
  );
  process.exitCode = 1;
} else {
  void import('../scripts/run-task.mjs').then(({ runTask }) => runTask('employee', process.argv.slice(2)));
}

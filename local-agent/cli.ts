import { enableCompileCache } from 'node:module';
import path from 'node:path';

// Stripping types and compiling is half of the time that a command takes. The cache lies with what was
// installed, not in a folder for all users, where others could put code into it.
enableCompileCache(path.resolve(import.meta.dirname, '..', 'node_modules', '.cache', 'employee'));
const { main } = await import('./main.ts');

// Whoever reads our output may stop reading (`employee audit | head`): that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const status = await main(process.argv.slice(2));
process.exitCode = status;
// Sockets that are kept alive must not keep a finished command waiting; what was written goes out first.
process.stdout.write('', () => process.exit(status));

/** Makes dist/ from nothing, so that nothing of a deleted file stays: compiles, then copies what tsc does not. */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', `${root}/tsconfig.build.json`], { stdio: 'inherit' });
cpSync(`${root}/src`, `${root}/dist`, { recursive: true, filter: (path) => !path.endsWith('.ts') });

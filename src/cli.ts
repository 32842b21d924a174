// Process entry of the `baton` command. Nothing else. `serve` runs for long and does without the cache, as main.ts does.
if (process.argv[2] !== 'serve') await import('./compile-cache.ts');

const [{ runCommand }, { processTerminal }] = await Promise.all([import('./commands.ts'), import('./terminal.ts')]);

if (!(await runCommand(processTerminal()))) process.exitCode = 1;

// Process entry of the `baton` command. Nothing else.
import './compile-cache.ts';

const { runCommand } = await import('./commands.ts');

await runCommand();

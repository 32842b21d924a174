// Property tests try the same cases in every run, so that a red suite means a change. For others: PROPERTY_SEED=4711
// npm test, or PROPERTY_SEED=random; a failure prints the seed it had. The long searches are the soaks'.
import fc from 'fast-check';

const wanted = process.env.PROPERTY_SEED ?? '20261128';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
